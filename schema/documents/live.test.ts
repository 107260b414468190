import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context } from '../../src/context.ts'
import { transaction } from '../../src/context.ts'
import { emit } from '../../src/event.ts'
import { updateCollection } from '../../src/modules/collections/collections.ts'
import { userUpdated } from '../../src/modules/users/events.ts'
import {
  apply,
  blog,
  create,
  kinds,
  live,
  next,
  readers,
  remove,
  run,
  update,
  watch,
  world,
} from '../../src/testing/live-posts.ts'

test('first all, then what changes: what comes, moves, changes and goes', async () => {
  const [a, b] = [await create('live a', 1), await create('live b', 2)]
  const stream = await watch(
    blog.as('ann'),
    live('where: { title: { startsWith: "live" } }, orderBy: [{ views: DESC }], first: 3'),
  )
  const first = await next(stream)
  assert.equal(first.snapshot, true)
  let list = apply([], first)
  assert.deepEqual(
    list.map(({ id }) => id),
    [b, a],
  )
  const told = async () => {
    const payload = await next(stream)
    assert.equal(payload.nodes, null)
    list = apply(list, payload)
    return kinds(payload)
  }
  const c = await create('live c', 3)
  assert.deepEqual(await told(), [['ADDED', 0, c]])
  await update(c, 'title: "live c, new"')
  assert.deepEqual(await told(), [['CHANGED', 0, c]])
  assert.equal(list[0]?.title, 'live c, new')
  await update(a, 'views: 9')
  assert.deepEqual(await told(), [
    ['MOVED', 0, a],
    ['CHANGED', 0, a],
  ])
  const d = await create('live d', 5)
  assert.deepEqual(await told(), [
    ['REMOVED', null, b],
    ['ADDED', 1, d],
  ])
  await create('other', 100)
  await create('live beyond', 0)
  await remove(d)
  assert.deepEqual(await told(), [
    ['REMOVED', null, d],
    ['ADDED', 2, b],
  ])
  assert.deepEqual(
    list.map(({ id }) => id),
    [a, c, b],
  )
  await stream.return()
})

test('what may no longer be read goes, and what may be read comes: by documents, roles and the collection', async () => {
  const mine = await create('right mine', 1, ['user:carl'])
  const staffs = await create('right staff', 2, ['label:vip'])
  let now = blog.as('carl')
  const reauthenticate = async () => ({ ...now, reauthenticate })
  const stream = await watch({ ...now, reauthenticate }, live('where: { title: { startsWith: "right" } }'))
  assert.deepEqual(
    (await next(stream)).nodes?.map(({ id }) => id),
    [mine],
  )
  await update(mine, readers(['user:dora']))
  assert.deepEqual(kinds(await next(stream)), [['REMOVED', null, mine]])
  const becomes = async (labels: string[]) => {
    now = blog.as('carl', labels)
    await transaction(blog.owner, (tx) => emit(tx, userUpdated, { userId: 'carl' }))
  }
  await becomes(['vip'])
  assert.deepEqual(kinds(await next(stream)), [['ADDED', 0, staffs]])
  await becomes([])
  assert.deepEqual(kinds(await next(stream)), [['REMOVED', null, staffs]])
  const change = (permissions: { right: 'read' | 'create'; role: string }[]) =>
    updateCollection(blog.owner, blog.ids.posts ?? '', { permissions })
  const before = [
    { right: 'create', role: 'users' },
    { right: 'read', role: 'label:staff' },
  ] as const
  await change([...before, { right: 'read', role: 'user:carl' }])
  assert.deepEqual(
    kinds(await next(stream)).map(([kind]) => kind),
    ['ADDED', 'ADDED'],
  )
  await change([...before])
  assert.deepEqual(
    kinds(await next(stream)).map(([kind]) => kind),
    ['REMOVED', 'REMOVED'],
  )
  await stream.return()
})

test('a filter may look at related documents, whose changes count', async () => {
  const author = (await run('createAuthor(input: { name: "Ann" }) { id }')).id
  const id = await create('related', 1, ['users'], `author: "${author}"`)
  const stream = await watch(blog.as('ann'), live('where: { author: { name: { eq: "Ann" } } }'))
  assert.deepEqual(
    (await next(stream)).nodes?.map((node) => node.author),
    [{ name: 'Ann' }],
  )
  await run(`updateAuthor(input: { id: "${author}", name: "Bea" }) { id }`)
  assert.deepEqual(kinds(await next(stream)), [['REMOVED', null, id]])
  await run(`updateAuthor(input: { id: "${author}", name: "Ann" }) { id }`)
  assert.deepEqual(kinds(await next(stream)), [['ADDED', 0, id]])
  await stream.return()
})

test('whoever comes back is told of nothing, where nothing has happened, and of all where something has', async () => {
  const args = 'where: { title: { startsWith: "resume" } }'
  const id = await create('resume', 1)
  while ((await world.app.sql.query('select from events.outbox limit 1')).rows.length > 0) await sleep(5)
  const stream = await watch(blog.as('ann'), live(args))
  const { cursor } = await next(stream)
  await stream.return()
  const back = await watch(blog.as('ann'), live(`${args}, after: "${cursor}"`))
  const unchanged = await next(back)
  assert.deepEqual([unchanged.snapshot, unchanged.nodes, unchanged.changes], [false, null, []])
  await update(id, 'views: 2')
  const changed = await next(back)
  assert.deepEqual(kinds(changed), [['CHANGED', 0, id]])
  await back.return()
  const stale = await next(await watch(blog.as('ann'), live(`${args}, after: "${cursor}"`)))
  assert.deepEqual([stale.snapshot, stale.nodes?.map(({ views }) => views)], [true, [2]])
  await assert.rejects(watch(blog.as('ann'), live(`${args}, after: "made.up"`)), /INVALID/)
})

test('what is wrong is refused at once', async () => {
  const ann = blog.as('ann')
  await assert.rejects(watch(ann, live('first: 101')), /between 0 and 100.*\(first\)/)
  await assert.rejects(watch(ann, live('orderBy: [{ random: ASC }]')), /./)
  await assert.rejects(watch(blog.as(null), 'subscription { notesLive { cursor } }'), /notesLive/)
})

test('equal live queries are read once for all who may read the same', async () => {
  const args = 'where: { title: { startsWith: "equal" } }'
  let reads = 0
  const query = world.app.sql.query.bind(world.app.sql)
  const counting = new Proxy(world.app.sql, {
    get: (pool, name) => {
      if (name !== 'query') return Reflect.get(pool, name)
      return (...asked: Parameters<typeof query>) => {
        if (/"#0"|#ids/.test(String(asked[0]))) reads += 1
        return query(...asked)
      }
    },
  })
  const staff = (name: string): Context => ({ ...blog.as(name, ['staff']), sql: counting })
  const streams = await Promise.all(Array.from({ length: 20 }, (_, i) => watch(staff(`u${i % 2}`), live(args))))
  for (const stream of streams) assert.equal((await next(stream)).snapshot, true)
  const begun = reads
  assert.ok(begun <= 20, `${begun}`)
  const id = await create('equal', 1, [])
  for (const stream of streams) assert.deepEqual(kinds(await next(stream)), [['ADDED', 0, id]])
  // Of two users' roles the statement knows both: there are two groups, and a read may begin before the last event.
  assert.ok(reads - begun <= 6, `${reads - begun} reads`)
  for (const stream of streams) await stream.return()
})
