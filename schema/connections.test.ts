import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { graphql } from 'graphql'
import type { Context } from '../src/context.ts'
import { Invalid } from '../src/errors.ts'
import { newId } from '../src/lib/ids.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { schema } from './index.ts'

let world: World
let mine: Context
let theirs: Context
before(async () => {
  world = await createWorld()
  mine = (await world.createProject()).owner
  theirs = (await world.createProject()).owner
  for (const { projectId } of [mine, theirs]) {
    for (let i = 0; i < 7; i += 1) {
      const user = { id: newId('usr'), projectId, email: `${i}@example.org`, passwordHash: '' }
      await world.app.db.user.create({ data: user })
      const session = { id: newId('ses'), projectId, hash: newId('h'), expiresAt: new Date(Date.now() + 60_000) }
      await world.app.db.session.create({ data: { ...session, userId: user.id } })
      await world.app.sql.query(
        `insert into audits (id, "projectId", seq, event, resource, "actorKind", "actorId", payload, at)
         values (gen_random_uuid(), $1, $2, 'users.created', 'users', 'system', null, '{}', now())`,
        [projectId, i * 2 + (projectId === mine.projectId ? 0 : 1)],
      )
    }
  }
})
after(() => world.close())

type Page = {
  totalCount: number
  nodes: { id: string }[]
  pageInfo: { startCursor: string; endCursor: string; hasNextPage: boolean; hasPreviousPage: boolean }
}

// biome-ignore lint/suspicious/noExplicitAny: the page stands at another place of each answer
async function ask(ctx: Context, source: string): Promise<any> {
  const { data, errors } = await graphql({ schema, source, contextValue: ctx })
  assert.equal(errors, undefined)
  return data
}
const page = 'totalCount nodes { id } pageInfo { startCursor endCursor hasNextPage hasPreviousPage }'

const lists: Record<string, (args: string) => Promise<Page>> = {
  users: async (args) => (await ask(mine, `{ users(${args}) { ${page} } }`)).users,
  audits: async (args) => (await ask(mine, `{ audits(${args}) { ${page} } }`)).audits,
  'the sessions of a user': async (args) => {
    const { id } = await world.app.db.user.findFirstOrThrow({ where: { projectId: mine.projectId } })
    await world.app.db.session.updateMany({ where: { projectId: mine.projectId }, data: { userId: id } })
    return (await ask(mine, `{ user(id: "${id}") { sessions(${args}) { ${page} } } }`)).user.sessions
  },
}

for (const [name, list] of Object.entries(lists)) {
  describe(name, () => {
    const ids = ({ nodes }: Page) => nodes.map(({ id }) => id)

    test('are walked through forwards and backwards, each once', async () => {
      const all = ids(await list('first: 100'))
      assert.equal(all.length, 7)
      const forwards: string[] = []
      for (let after = '', more = true; more; ) {
        const next = await list(`first: 3${after}`)
        assert.equal(next.totalCount, 7)
        forwards.push(...ids(next))
        after = `, after: "${next.pageInfo.endCursor}"`
        more = next.pageInfo.hasNextPage
      }
      assert.deepEqual(forwards, all)
      const backwards: string[] = []
      for (let before = '', more = true; more; ) {
        const next = await list(`last: 3${before}`)
        backwards.unshift(...ids(next))
        before = `, before: "${next.pageInfo.startCursor}"`
        more = next.pageInfo.hasPreviousPage
      }
      assert.deepEqual(backwards, all)
    })
  })
}

test("a cursor made of another project's id is answered like one of an id that is not there", async () => {
  const cursor = (id: string) => Buffer.from(`GPC:S:${id}`).toString('base64')
  const foreign = await world.app.db.user.findMany({ where: { projectId: theirs.projectId }, orderBy: { id: 'asc' } })
  for (const { id } of foreign) {
    // A neighbour in the order that nobody has: what is answered may follow from the order, but not from the row.
    const absent = `${id.slice(0, -1)}${id.endsWith('z') ? 'y' : 'z'}`
    for (const args of ['first: 3, after', 'last: 3, before']) {
      const [found, missing] = await Promise.all(
        [id, absent].map((each) => lists.users?.(`${args}: "${cursor(each)}"`)),
      )
      assert.deepEqual(found, missing)
    }
  }
  const audit = await world.app.db.audit.findFirstOrThrow({ where: { projectId: theirs.projectId } })
  const answers = await Promise.all(
    [audit.id, crypto.randomUUID()].map((id) => lists.audits?.(`first: 3, after: "${cursor(id)}"`)),
  )
  assert.deepEqual(answers[0], answers[1])
})

test('a page of more than 100, or of less than none, is refused and not cut short', async () => {
  for (const args of ['first: 101', 'last: 101', 'first: -1', 'last: -1']) {
    const { errors } = await graphql({ schema, source: `{ users(${args}) { nodes { id } } }`, contextValue: mine })
    assert.ok(errors?.[0]?.originalError instanceof Invalid, args)
  }
  for (const args of ['first: 100', 'last: 100', 'first: 0']) await ask(mine, `{ users(${args}) { nodes { id } } }`)
})
