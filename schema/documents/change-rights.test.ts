import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, sqlTransaction } from '../../src/context.ts'
import { encodeCursor } from '../../src/cursor.ts'
import { newId } from '../../src/lib/ids.ts'
import { raiseRevision } from '../../src/modules/databases/revision.ts'
import { createCollections } from '../../src/testing/collections.ts'
import { listen, operate, type Payloads } from '../../src/testing/operation.ts'
import { within } from '../../src/testing/stream.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { type Relay, startRelay } from '../../workers/relay.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let owner: Context
let relay: Relay
let schemas: Schemas
let ids: Record<string, string>

before(async () => {
  world = await createWorld()
  ;({ owner } = await world.createProject())
  ids = await createCollections(owner, {
    people: {
      permissions: ['read:users'],
      attributes: {
        name: { type: 'STRING', column: 'called' },
        salary: { type: 'INTEGER', restricted: true, permissions: ['read:label:staff'] },
        bonus: { type: 'INTEGER', restricted: true, permissions: ['read:label:staff'] },
        note: { type: 'STRING' },
        boss: {
          type: 'RELATION',
          to: 'people',
          reverseKey: 'reports',
          restricted: true,
          permissions: ['read:label:staff'],
        },
      },
    },
  })
  relay = startRelay(world.app)
  schemas = createSchemas(world.app)
})

after(async () => {
  await schemas.close()
  await relay.stop()
  await world.close()
})

const as = (label: string) =>
  world.context(owner.projectId, { kind: 'user', id: 'usr_1', sessionId: 'ses_1', verified: true, labels: [label] })

async function run(source: string) {
  assert.deepEqual((await operate(schemas, owner, `mutation { ${source} }`)).errors, [])
}

async function here(): Promise<string> {
  const { sql, tails } = world.app
  while ((await sql.query('select from events.outbox limit 1')).rows.length > 0) await sleep(5)
  const { projectId } = owner
  return encodeCursor(world.env.SECRET_KEYS, { epoch: tails.epoch, projectId }, await tails.head(projectId))
}

async function open(ctx: Context, where: object | null = null): Promise<Payloads> {
  const source = `subscription ($where: PersonWhere, $after: String) {
    personChanged(where: $where, after: $after) { kind id changedFields node { name salary boss { id } } } }`
  return listen(schemas, ctx, source, { where, after: await here() })
}

async function next(stream: Payloads) {
  const { value } = await within(stream.next(), 5_000, 'no change came')
  return value
}

test('a change names and shows no field that the subscriber may not read', async () => {
  const streams = { guest: await open(as('guest')), staff: await open(as('staff')) }
  await run('createPerson(input: { id: "a", name: "Ann", salary: 1 }) { id }')
  await run('updatePerson(input: { id: "a", name: "Anna", salary: 2, boss: "a" }) { id }')
  const seen: unknown[] = []
  for (const stream of Object.values(streams)) {
    await next(stream)
    seen.push((await next(stream))?.data?.personChanged)
    await stream.return()
  }
  assert.deepEqual(seen, [
    { kind: 'UPDATED', id: 'a', changedFields: ['name'], node: { name: 'Anna', salary: null, boss: null } },
    {
      kind: 'UPDATED',
      id: 'a',
      changedFields: ['name', 'salary', 'boss'],
      node: { name: 'Anna', salary: 2, boss: { id: 'a' } },
    },
  ])
})

test('a live filter looks at no field that the subscriber may not read, nor at one that is withheld later', async () => {
  const refused = await open(as('guest'), { salary: { gt: 0 } }).catch((error: Error) => error)
  assert.match(String(refused), /may not read `salary`/)
  const stream = await open(as('staff'), { salary: { gt: 0 } })
  await run('createPerson(input: { id: "b", name: "Bob", salary: 1 }) { id }')
  assert.equal((await next(stream))?.data?.personChanged.id, 'b')
  await world.app.db.attribute.updateMany({
    where: { collectionId: ids.people ?? '', key: 'salary' },
    data: { permissions: ['read:label:boss'] },
  })
  await sqlTransaction(owner, raiseRevision)
  await sleep(1_000)
  await run('createPerson(input: { id: "c", name: "Cid", salary: 1 }) { id }')
  const ended = await next(stream).catch((error: Error) => error)
  assert.match(ended instanceof Error ? ended.message : String(ended?.errors), /may not read `salary`/)
})

/** Lists within a change that look at a field: by computing, by a filter, by an order. */
const lists = {
  computed: 'reports { aggregate { max { bonus } } }',
  filtered: 'reports(where: { bonus: { gt: 0 } }) { totalCount }',
  'filtered by related ones': 'reports(where: { reports: { some: { bonus: { gt: 0 } } } }) { totalCount }',
  ordered: 'reports(orderBy: [{ bonus: ASC }]) { nodes { id } }',
  'ordered by a related one': 'reports(orderBy: [{ boss: { bonus: ASC } }]) { nodes { id } }',
}

for (const [name, list] of Object.entries(lists))
  test(`a list within a change is not ${name} by a field that is withheld later`, async () => {
    const allow = async (label: string) => {
      const where = { collectionId: ids.people ?? '', key: 'bonus' }
      await world.app.db.attribute.updateMany({ where, data: { permissions: [`read:label:${label}`] } })
      await sqlTransaction(owner, raiseRevision)
      await sleep(1_000)
    }
    await allow('staff')
    const source = `subscription ($after: String) { personChanged(after: $after) { id node { ${list} } } }`
    const stream = await listen(schemas, as('staff'), source, { after: await here() })
    await run('upsertPerson(input: { id: "d", bonus: 7, boss: "d" }) { id }')
    assert.equal((await next(stream))?.data?.personChanged.id, 'd')
    await allow('boss')
    await run('upsertPerson(input: { id: "d", bonus: 8 }) { id }')
    const ended = await next(stream).catch((error: Error) => error)
    assert.match(ended instanceof Error ? ended.message : String(ended?.errors), /may not read `bonus`/)
  })

test('a field that took the name of another is not told to those who could read the other', async () => {
  const selections = ['name note', 'reports(where: { note: { ne: "a" } }) { nodes { name } }']
  const after = await here()
  const streams = await Promise.all(
    selections.map((selection) => {
      const source = `subscription ($after: String) { personChanged(after: $after) { id node { ${selection} } } }`
      return listen(schemas, as('guest'), source, { after })
    }),
  )
  await world.app.db.attribute.updateMany({
    where: { collectionId: ids.people ?? '', key: 'note' },
    data: { id: newId('att'), restricted: true, permissions: ['read:label:staff'] },
  })
  await sqlTransaction(owner, raiseRevision)
  await sleep(1_000)
  await run('upsertPerson(input: { id: "e", name: "Eve", note: "secret", boss: "e" }) { id }')
  const [own, filtered] = await Promise.all(streams.map(next))
  assert.deepEqual(own?.data?.personChanged.node, { name: 'Eve', note: null })
  assert.match(String(filtered?.errors), /may not read `note`/)
})
