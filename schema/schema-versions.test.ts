import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from '../src/context.ts'
import { leaseMs } from '../src/modules/schema-versions/schema-versions.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas } = await createStage()

const checksum = 'a'.repeat(64)
const first = { name: '20261124093000_first', checksum, steps: 2, rollback: '{"steps":[]}', lease: 'lease_of_ann' }
const second = { ...first, name: '20261124093001_second', after: first.name }

/** Calls one of the three mutations. */
function call(ctx: Context, field: string, input: object) {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input`
  return operate(schemas, ctx, `mutation ($input: ${type}!) { ${field}(input: $input) { name status steps done } }`, {
    input,
  })
}

const begin = (ctx: Context, input: object) => call(ctx, 'beginSchemaVersion', input)
const advance = (ctx: Context, done: number, more: object = {}) =>
  call(ctx, 'advanceSchemaVersion', { name: first.name, lease: first.lease, done, ...more })
const rollBack = (ctx: Context, input: object = {}) =>
  call(ctx, 'beginSchemaRollback', { name: first.name, steps: 1, lease: first.lease, ...input })

async function versions(ctx: Context): Promise<string[]> {
  const { data } = await operate(schemas, ctx, '{ schemaVersions { totalCount nodes { name status done steps } } }')
  assert.equal(data?.schemaVersions.totalCount, data?.schemaVersions.nodes.length)
  return data?.schemaVersions.nodes.map(
    (one: Record<string, string>) => `${one.name} ${one.status} ${one.done}/${one.steps}`,
  )
}

test('a migration is begun, advanced to its end, and rolled back', async () => {
  const { owner } = await world.createProject()
  const count = (await world.emitted()).length
  const begun = await begin(owner, first)
  assert.deepEqual(begun.errors, [])
  assert.deepEqual(begun.data?.beginSchemaVersion, { name: first.name, status: 'APPLYING', steps: 2, done: 0 })
  await advance(owner, 1)
  assert.deepEqual(await versions(owner), [`${first.name} APPLYING 1/2`])
  assert.equal((await advance(owner, 2)).data?.advanceSchemaVersion.status, 'APPLIED')
  const back = await rollBack(owner)
  assert.deepEqual(back.data?.beginSchemaRollback, { name: first.name, status: 'ROLLING_BACK', steps: 1, done: 0 })
  await advance(owner, 1)
  assert.deepEqual(await versions(owner), [])
  const kinds = ['versions.created', 'versions.updated', 'versions.updated', 'versions.deleted']
  assert.deepEqual((await world.emitted()).slice(count), kinds)
})

test('of many who apply at once, one may', async () => {
  const { owner } = await world.createProject()
  const tries = Array.from({ length: 5 }, (_, i) => begin(owner, { ...first, lease: `lease_of_${i}` }))
  const outcomes = await Promise.all(tries)
  assert.equal(outcomes.filter(({ errors }) => errors.length === 0).length, 1)
  for (const { errors } of outcomes) {
    for (const error of errors) assert.equal(error, `CONFLICT Somebody else works on “${first.name}” at this moment.`)
  }
})

test('one that was left half applied is gone on with: at once when left, otherwise when its lease has ended', async () => {
  const { owner } = await world.createProject()
  await begin(owner, first)
  await advance(owner, 1)
  const other = { ...first, lease: 'lease_of_bob' }
  const wait = { ...owner, clock: () => new Date(Date.now() + leaseMs + 1_000) }
  assert.deepEqual((await begin(owner, other)).errors, [
    `CONFLICT Somebody else works on “${first.name}” at this moment.`,
  ])
  assert.equal((await begin(wait, other)).data?.beginSchemaVersion.done, 1)
  assert.deepEqual((await advance(owner, 2)).errors, [`CONFLICT Somebody else works on “${first.name}” by now.`])
  await advance(owner, 1, { lease: other.lease, leave: true })
  assert.equal((await begin(owner, first)).data?.beginSchemaVersion.done, 1)
  assert.deepEqual((await begin(owner, { ...first, checksum: 'b'.repeat(64) })).errors, [
    `CONFLICT “${first.name}” was changed after it was begun: roll it back first.`,
  ])
})

test('what comes out of turn is refused, and changes nothing', async () => {
  const { owner } = await world.createProject()
  await begin(owner, first)
  const half = `CONFLICT “${first.name}” is half done, 0 of 2 steps: apply it or roll it back first.`
  assert.deepEqual((await begin(owner, second)).errors, [half])
  await advance(owner, 2)
  assert.deepEqual((await begin(owner, first)).errors, [`CONFLICT “${first.name}” is applied already.`])
  const late = `CONFLICT The last migration is “${first.name}” by now: look at them again.`
  assert.deepEqual((await begin(owner, { ...second, after: null })).errors, [late])
  assert.deepEqual((await begin(owner, second)).errors, [])
  assert.deepEqual((await rollBack(owner)).errors, [`CONFLICT “${second.name}” came after it: roll that back first.`])
  assert.deepEqual(await versions(owner), [`${first.name} APPLIED 2/2`, `${second.name} APPLYING 0/2`])
  await rollBack(owner, { name: second.name })
  assert.deepEqual((await begin(owner, second)).errors, [
    `CONFLICT “${second.name}” is being rolled back: finish that first.`,
  ])
})

test('what is wrong is said', async () => {
  const { owner } = await world.createProject()
  assert.match((await begin(owner, { ...first, name: '../first' })).errors[0] ?? '', /name/)
  assert.match((await begin(owner, { ...first, checksum: 'x' })).errors[0] ?? '', /checksum/)
  assert.match((await begin(owner, { ...first, steps: -1 })).errors[0] ?? '', /steps/)
  assert.match((await begin(owner, { ...first, rollback: 'x'.repeat(500_001) })).errors[0] ?? '', /rollback/)
  assert.deepEqual((await advance(owner, 1)).errors, ['NOT_FOUND There is no such migration. (input.name)'])
  assert.deepEqual((await rollBack(owner)).errors, ['NOT_FOUND There is no such migration. (input.name)'])
  await begin(owner, first)
  assert.deepEqual((await advance(owner, 3)).errors, ['INVALID It has 2 steps, of which 0 are done. (input.done)'])
})

test('another project has its own; a key needs its scope; end users see nothing of it', async () => {
  const { owner } = await world.createProject()
  const stranger = await world.createProject()
  await begin(owner, first)
  assert.deepEqual(await versions(stranger.owner), [])
  assert.deepEqual((await rollBack(stranger.owner)).errors, ['NOT_FOUND There is no such migration. (input.name)'])
  const key = (scope: string) => world.context(owner.projectId, { kind: 'key', id: 'key_1', scopes: new Set([scope]) })
  assert.equal((await versions(key('databases.read'))).length, 1)
  for (const ctx of [key('databases.read'), world.context(owner.projectId)]) {
    assert.match((await advance(ctx, 2)).errors[0] ?? '', /Cannot query field|Unknown type|not configured|mutation/i)
  }
  assert.deepEqual(await versions(owner), [`${first.name} APPLYING 0/2`])
})

test('they are paged from both ends in the order in which they were applied, whatever they are called', async () => {
  const { owner } = await world.createProject()
  const at = (day: number) => new Date(Date.UTC(2026, 0, day))
  const rows = [
    { name: 'c', appliedAt: at(1) },
    { name: 'a', appliedAt: at(2) },
    { name: 'b', appliedAt: at(2) },
    { name: 'd', appliedAt: at(3) },
    { name: '0', appliedAt: at(4) },
  ]
  const { projectId } = owner
  await owner.db.schemaVersion.createMany({
    data: rows.map((row) => ({ ...row, projectId, checksum, steps: 1, rollback: '' })),
  })
  const page = async (args: string) => {
    const fields = 'nodes { name } pageInfo { startCursor endCursor hasNextPage hasPreviousPage }'
    const { data, errors } = await operate(schemas, owner, `{ schemaVersions(${args}) { ${fields} } }`)
    assert.deepEqual(errors, [])
    const { nodes, pageInfo } = data?.schemaVersions ?? {}
    return { names: nodes.map(({ name }: { name: string }) => name).join(''), ...pageInfo }
  }
  const front = await page('first: 2')
  const middle = await page(`first: 2, after: "${front.endCursor}"`)
  const end = await page(`first: 2, after: "${middle.endCursor}"`)
  assert.deepEqual([front.names, middle.names, end.names], ['ca', 'bd', '0'])
  assert.deepEqual([front.hasNextPage, middle.hasNextPage, end.hasNextPage], [true, true, false])
  const back = await page(`last: 2, before: "${end.startCursor}"`)
  assert.deepEqual([back.names, back.hasPreviousPage], ['bd', true])
  assert.equal((await page(`last: 3, before: "${back.startCursor}"`)).names, 'ca')
  const { owner: stranger } = await world.createProject()
  const query = `{ schemaVersions(after: "${front.endCursor}") { nodes { name } } }`
  assert.deepEqual((await operate(schemas, stranger, query)).data?.schemaVersions.nodes, [])
})
