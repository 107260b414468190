import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPlan } from '../src/modules/functions/plans.ts'
import { variableBytes, variableLimit, variablesBytes } from '../src/modules/variables/variables.ts'
import { makeFunction } from '../src/testing/functions.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas, owner: ctx } = await createStage()

const set = 'mutation ($input: SetVariableInput!) { setVariable(input: $input) { id key functionId updatedAt } }'
const remove = 'mutation ($id: ID!) { deleteVariable(id: $id) }'
const give = (input: object, as = ctx) => operate(schemas, as, set, { input })

test('a variable is set, set again and deleted; a function’s own wins over that of all, at once on this node', async () => {
  const { id: functionId } = await makeFunction(ctx)
  const of = async () => (await findPlan(ctx, functionId))?.variables
  assert.deepEqual(await of(), {})
  const shared = (await give({ key: 'KEY', value: 'of all' })).data?.setVariable
  assert.equal(shared.functionId, null)
  assert.deepEqual(await of(), { KEY: 'of all' })
  const own = (await give({ functionId, key: 'KEY', value: 'own' })).data?.setVariable
  assert.deepEqual(await of(), { KEY: 'own' })
  const again = (await give({ functionId, key: 'KEY', value: 'newer' })).data?.setVariable
  assert.equal(again.id, own.id)
  assert.deepEqual(await of(), { KEY: 'newer' })
  const list = '{ all: variables { totalCount } shared: variables(where: { functionId: null }) { nodes { id key } } }'
  assert.deepEqual((await operate(schemas, ctx, list)).data, {
    all: { totalCount: 2 },
    shared: { nodes: [{ id: shared.id, key: 'KEY' }] },
  })
  assert.deepEqual((await operate(schemas, ctx, remove, { id: own.id })).data, { deleteVariable: own.id })
  assert.deepEqual(await of(), { KEY: 'of all' })
  const one = 'query ($id: ID!) { variable(id: $id) { key } }'
  assert.equal((await operate(schemas, ctx, one, { id: own.id })).data?.variable, null)
})

test('a value is nowhere to be read: no field, no event, and encrypted in the table', async () => {
  const { data } = await give({ key: 'SECRET', value: 'canary-4711' })
  assert.ok(!JSON.stringify(data).includes('canary'))
  const refused = await operate(schemas, ctx, '{ variables { nodes { value } } }')
  assert.match(refused.errors[0] ?? '', /Cannot query field "value"/)
  const { rows } = await world.app.sql.query(
    'select (select json_agg(v) from variables v) as variables, (select json_agg(o) from events.outbox o) as events',
  )
  assert.ok(!JSON.stringify(rows).includes('canary'))
  assert.ok(JSON.stringify(rows).includes('SECRET'))
})

test('names and values that cannot be are refused', async () => {
  for (const key of ['', '1A', 'A-B', 'TENDRIL_X', 'tendril_x', '__proto__', 'A'.repeat(129), 'A\0'])
    assert.match((await give({ key, value: 'v' })).errors[0] ?? '', /^INVALID .*\(input.key\)$/, key)
  for (const value of ['é'.repeat(32_769), 'a\0b'])
    assert.match((await give({ key: 'A', value })).errors[0] ?? '', /^INVALID .*\(input.value\)$/)
  assert.deepEqual((await give({ key: 'BIG', value: 'é'.repeat(32_768) })).errors, [])
})

test('whoever may not do what a function may, does not change what it runs with', async () => {
  const { id: functionId } = await makeFunction(ctx, undefined, { scopes: ['users.write'] })
  const weak = world.context(ctx.projectId, { kind: 'key', id: 'k', scopes: new Set(['functions.write']) })
  for (const input of [
    { functionId, key: 'NODE_OPTIONS', value: 'x' },
    { key: 'NODE_OPTIONS', value: 'x' },
  ])
    assert.match((await give(input, weak)).errors[0] ?? '', /^FORBIDDEN/)
  const mine = (await give({ functionId, key: 'MINE', value: 'x' })).data?.setVariable
  assert.match((await operate(schemas, weak, remove, { id: mine.id })).errors[0] ?? '', /^FORBIDDEN/)
})

test('a function has so many variables; two who set one at a time make one', async () => {
  const { id: functionId } = await makeFunction(ctx)
  const row = { projectId: ctx.projectId, functionId, value: '' }
  const rows = Array.from({ length: variableLimit - 1 }, (_, i) => ({ ...row, id: `var_${i}`, key: `K${i}` }))
  await world.app.db.variable.createMany({ data: rows })
  const both = await Promise.all([1, 2].map((value) => give({ functionId, key: 'LAST', value: `${value}` })))
  assert.equal(new Set(both.map(({ data }) => data?.setVariable.id)).size, 1)
  assert.match((await give({ functionId, key: 'MORE', value: '' })).errors[0] ?? '', /^LIMIT_EXCEEDED/)
  assert.deepEqual((await give({ functionId, key: 'K1', value: 'again' })).errors, [])
})

test('the variables of a function have so many bytes together, and so have those of all', async () => {
  const { owner } = await world.createProject()
  const { id } = await makeFunction(owner)
  const value = 'x'.repeat(variableBytes)
  for (const functionId of [id, null]) {
    const set = (key: string, given = value) => give({ functionId, key, value: given }, owner)
    for (let i = 0; i < variablesBytes / variableBytes; i += 1) assert.deepEqual((await set(`LARGE_${i}`)).errors, [])
    assert.match((await set('MORE')).errors[0] ?? '', /^LIMIT_EXCEEDED .* 524,288 bytes together/)
    for (const [key, text] of [
      ['LARGE_0', value],
      ['LARGE_0', 'x'],
      ['MORE', 'x'.repeat(60_000)],
    ] as const)
      assert.deepEqual((await set(key, text)).errors, [])
  }
})

test('where there are more bytes than may be, since before there was a limit, a value may become shorter and not longer', async () => {
  const { owner } = await world.createProject()
  const { id: functionId } = await makeFunction(owner)
  const kept = (await give({ functionId, key: 'FIRST', value: 'x'.repeat(variableBytes) }, owner)).data?.setVariable
  const { value } = await world.app.db.variable.findUniqueOrThrow({ where: { id: kept.id } })
  const row = { projectId: owner.projectId, functionId, value }
  const rows = Array.from({ length: 20 }, (_, i) => ({ ...row, id: `var_large_${i}`, key: `LARGE_${i}` }))
  await world.app.db.variable.createMany({ data: rows })
  const set = (key: string, bytes: number) => give({ functionId, key, value: 'x'.repeat(bytes) }, owner)
  assert.deepEqual((await set('LARGE_0', 60_000)).errors, [])
  for (const [key, bytes] of [
    ['LARGE_0', 61_000],
    ['MORE', 1],
  ] as const)
    assert.match((await set(key, bytes)).errors[0] ?? '', /^LIMIT_EXCEEDED .* Delete some, or set shorter values\.$/)
})

test('another project’s variable and function are as such that are not', async () => {
  const { id: functionId } = await makeFunction(ctx)
  const { id } = (await give({ functionId, key: 'A', value: 'v' })).data?.setVariable ?? {}
  const { owner: stranger } = await world.createProject()
  const asked = (variable: string, of: string) => [
    operate(schemas, stranger, remove, { id: variable }),
    operate(schemas, stranger, 'query ($id: ID!) { variable(id: $id) { id } }', { id: variable }),
    give({ functionId: of, key: 'A', value: 'v' }, stranger),
  ]
  assert.deepEqual(await Promise.all(asked(id, functionId)), await Promise.all(asked('var_none', 'fun_none')))
})
