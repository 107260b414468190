import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createCollections } from '../../src/testing/collections.ts'
import { operate } from '../../src/testing/operation.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

type Owner = Awaited<ReturnType<World['createProject']>>['owner']

let world: World
let schemas: Schemas
let owner: Owner

const start = {
  int: 7,
  big: '9007199254740993',
  float: 1.5,
  dec: '10.25',
  name: 'ab',
  open: true,
  day: '2024-02-29',
  at: '2024-01-31T10:00:00.000Z',
  tags: ['a', 'b', 'a'],
  code: 'x1',
}

before(async () => {
  world = await createWorld()
  const project = await world.createProject()
  owner = project.owner
  await createCollections(owner, {
    things: {
      attributes: {
        int: { type: 'INTEGER' },
        big: { type: 'BIGINT' },
        float: { type: 'FLOAT' },
        dec: { type: 'DECIMAL' },
        name: { type: 'STRING', size: 10 },
        open: { type: 'BOOLEAN' },
        day: { type: 'DATE' },
        at: { type: 'DATETIME' },
        tags: { type: 'STRING', list: true, size: 5 },
        code: { type: 'STRING', pattern: '^[a-z0-9]+$' },
        free: { type: 'INTEGER' },
        text: { type: 'TEXT' },
        thousand: { type: 'INTEGER', computed: 'free * 1000' },
        longer: {
          type: 'TEXT',
          computed: `replace(replace(name, 'b', '${'c'.repeat(400)}'), 'c', '${'d'.repeat(400)}')`,
        },
      },
    },
  })
  schemas = createSchemas(world.app)
})

after(async () => {
  await schemas.close()
  await world.close()
})

const keys = [...Object.keys(start), 'free'].join(' ')

async function applied(apply: object) {
  await operate(schemas, owner, 'mutation { deleteThings(where: {}) { count } }')
  const create = 'mutation ($input: CreateThingInput!) { createThing(input: $input) { id } }'
  const made = await operate(schemas, owner, create, { input: { id: 't', ...start } })
  assert.deepEqual(made.errors, [])
  const update = `mutation ($apply: ThingOperations) { updateThing(input: { id: "t" }, apply: $apply) { ${keys} } }`
  return operate(schemas, owner, update, { apply })
}

const cases: [field: keyof typeof start | 'free', operation: object, result: unknown][] = [
  ['int', { increment: 3 }, 10],
  ['int', { decrement: 8 }, -1],
  ['int', { multiply: 3 }, 21],
  ['int', { divide: 2 }, 3],
  ['int', { modulo: 4 }, 3],
  ['int', { power: 2 }, 49],
  ['int', { increment: 3, min: 0, max: 10 }, 10],
  ['free', { increment: 2 }, 2],
  ['big', { increment: '1' }, '9007199254740994'],
  ['float', { multiply: 2.5 }, 3.75],
  ['float', { modulo: 1 }, 0.5],
  ['float', { modulo: 0.4 }, 0.3],
  ['dec', { increment: '0.75' }, '11.00'],
  ['name', { concat: 'c' }, 'abc'],
  ['name', { replace: { text: 'a', with: 'x' } }, 'xb'],
  ['open', { toggle: true }, false],
  ['day', { add: { years: 1 } }, '2025-02-28'],
  ['at', { add: { months: 1, hours: -1 } }, '2024-02-29T09:00:00.000Z'],
  ['tags', { append: ['c', 'd'] }, ['a', 'b', 'a', 'c', 'd']],
  ['tags', { prepend: ['c'] }, ['c', 'a', 'b', 'a']],
  ['tags', { insert: { at: 1, value: 'c' } }, ['a', 'c', 'b', 'a']],
  ['tags', { insert: { at: 99, value: 'c' } }, ['a', 'b', 'a', 'c']],
  ['tags', { remove: ['a'] }, ['b']],
  ['tags', { intersect: ['a', 'z'] }, ['a', 'a']],
  ['tags', { unique: true }, ['a', 'b']],
]

for (const [field, operation, result] of cases) {
  test(`${field}: ${JSON.stringify(operation)}`, async () => {
    const { data, errors } = await applied({ [field]: operation })
    assert.deepEqual(errors, [])
    assert.deepEqual(data?.updateThing, { ...start, free: null, [field]: result })
  })
}

test('setNow is the moment of the change', async () => {
  const { data } = await applied({ at: { setNow: true } })
  assert.ok(Math.abs(Date.parse(data?.updateThing.at) - world.app.clock().getTime()) < 60_000)
})

test('what would make a text longer than a document may be is not made', async () => {
  const create = 'mutation ($input: CreateThingInput!) { createThing(input: $input) { id } }'
  await operate(schemas, owner, create, { input: { id: 'long', text: 'x'.repeat(900_000) } })
  const update = 'mutation ($apply: ThingOperations) { updateThing(input: { id: "long" }, apply: $apply) { text } }'
  const replaced = async (text: string, by: string) => {
    const { data, errors } = await operate(schemas, owner, update, { apply: { text: { replace: { text, with: by } } } })
    return errors[0] ?? String(data?.updateThing.text.length)
  }
  // PostgreSQL would take a gigabyte of memory, and then say that a statement cannot hold it.
  assert.match(await replaced('x', 'y'.repeat(900_000)), /^LIMIT_EXCEEDED A document has at most 1,000,000 bytes/)
  assert.equal(await replaced('xx', 'y'), '450000')
  assert.equal(await replaced('y', 'zz'), '900000')
  assert.match(await replaced('z', 'yy'), /^LIMIT_EXCEEDED A document/)
  assert.equal(await replaced('', 'z'.repeat(1_000)), '900000')
})

test('what is computed and passes its range is named', async () => {
  const outcome = (source: string) => operate(schemas, owner, `mutation { ${source} }`)
  const error = (path: string) => [`INVALID A value is out of its range. (${path})`]
  await outcome('createThing(input: { id: "small", free: 1 }) { id }')
  const many = 'createThings(inputs: [{ free: 1 }, { free: 3000000 }]) { id }'
  assert.deepEqual((await outcome('createThing(input: { free: 3000000 }) { id }')).errors, error('input.thousand'))
  assert.deepEqual((await outcome(many)).errors, error('inputs.thousand'))
  const update = 'updateThing(input: { id: "small", free: 3000000 }) { id }'
  assert.deepEqual((await outcome(update)).errors, error('input.thousand'))
  const multiply = 'updateThing(input: { id: "small" }, apply: { free: { multiply: 3000000 } }) { id }'
  assert.deepEqual((await outcome(multiply)).errors, error('apply.free'))
})

test('nor is what is computed', async () => {
  const create = 'mutation ($input: CreateThingInput!) { createThing(input: $input) { longer } }'
  const computed = (name: string) => operate(schemas, owner, create, { input: { name } })
  assert.equal((await computed('b')).data?.createThing.longer.length, 160_000)
  assert.match(
    (await computed('b'.repeat(9))).errors[0] ?? '',
    /^LIMIT_EXCEEDED A document has at most 1,000,000 bytes/,
  )
})

const refusals: [apply: object, error: RegExp][] = [
  [{ int: { increment: 2147483647 } }, /^INVALID .*\(apply\.int\)$/],
  [{ big: { multiply: '9007199254740993' } }, /^INVALID .*\(apply\.big\)$/],
  [{ int: { increment: 3, max: 9 } }, /^INVALID .*\(apply\.int\)$/],
  [{ int: { decrement: 8, min: 0 } }, /^INVALID .*\(apply\.int\)$/],
  [{ float: { power: 100, max: 5 } }, /^INVALID .*\(apply\.float\)$/],
  [{ float: { multiply: 1.7e308 } }, /^INVALID .*\(apply\.float\)$/],
  [{ float: { multiply: 1.7e308 }, int: { increment: 1 } }, /^INVALID .*\(apply\)$/],
  [{ float: { divide: 5e-324 } }, /^INVALID .*\(apply\.float\)$/],
  [{ tags: { insert: { at: -1, value: 'c' } } }, /^INVALID .*\(apply\.tags\.insert\.at\)$/],
  [{ int: { divide: 0 } }, /^INVALID .*\(apply\.int\.divide\)$/],
  [{ int: { power: -1 } }, /^INVALID .*\(apply\.int\.power\)$/],
  [{ int: { increment: 1, decrement: 1 } }, /^INVALID .*\(apply\.int\)$/],
  [{ int: {} }, /^INVALID .*\(apply\.int\)$/],
  [{ int: { increment: null } }, /^INVALID .*\(apply\.int\.increment\)$/],
  [{ open: { toggle: false } }, /^INVALID .*\(apply\.open\.toggle\)$/],
  [{ name: { concat: 'x'.repeat(9) } }, /^INVALID This is too long\. \(apply\.name\)$/],
  [{ code: { concat: '!' } }, /^INVALID This does not match its pattern\. \(apply\.code\)$/],
  [{ day: { add: { years: 2147483647 } } }, /^INVALID .*\(apply\.day\.add\)$/],
  [{ day: { add: { years: 8000 } } }, /^INVALID .*\(apply\.day\)$/],
  [{ at: { add: { days: 100000000 } } }, /^INVALID /],
]

for (const [apply, error] of refusals) {
  test(`refused: ${JSON.stringify(apply)}`, async () => {
    const { errors } = await applied(apply)
    assert.equal(errors.length, 1)
    assert.match(errors[0] ?? '', error)
    const { data } = await operate(schemas, owner, `{ thing(id: "t") { ${keys} version } }`)
    assert.deepEqual(data?.thing, { ...start, free: null, version: 1 })
  })
}
