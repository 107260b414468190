import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { isRaw } from '../../src/http/stream.ts'
import { createGraphql } from '../../src/server.ts'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'

let documents: Documents
const uniques = {
  text: ['STRING', ['a, b', 'a) already exists.', '“”"\\', 'plain']],
  whole: ['INTEGER', [1, -2, 0]],
  big: ['BIGINT', ['9007199254740993', '-5', '0']],
  float: ['FLOAT', [0.1, 1e21, -3]],
  decimal: ['DECIMAL', ['1.50', '-0.001', '7']],
  day: ['DATE', ['2026-01-31', '0001-01-01', '9999-12-31']],
  moment: ['DATETIME', ['2026-01-31T12:00:00.001+02:00', '1969-12-31T23:59:59Z', '2026-01-31T12:00:00Z']],
  address: ['IP', ['10.0.0.1', '::1', '10.0.0.2']],
  uuid: ['UUID', ['F47AC10B-58CC-4372-A567-0E02B2C3D479', '00000000-0000-0000-0000-000000000000']],
  flag: ['BOOLEAN', [true, false]],
  link: ['URL', ['https://example.org/a', 'https://example.org/b?c=(d),(e)']],
} as const

before(async () => {
  const attributes = Object.fromEntries(
    Object.entries(uniques).map(([key, [type]]) => [key, { type, unique: true, size: type === 'STRING' ? 100 : null }]),
  )
  documents = await openDocuments({
    things: { permissions: ['create:users', 'read:users', 'update:users'], attributes },
    places: {
      documentPermissions: true,
      permissions: ['create:users'],
      attributes: {
        year: { type: 'INTEGER', default: 2000 },
        name: { type: 'STRING' },
        count: { type: 'INTEGER', unique: true },
        secret: { type: 'INTEGER', default: 1, restricted: true, permissions: ['read:label:staff'] },
        house: { type: 'INTEGER' },
        short: { type: 'STRING', size: 5 },
        note: { type: 'STRING', restricted: true, permissions: ['read:label:staff'] },
        owner: { type: 'RELATION', to: 'things', reverseKey: 'place', relation: 'ONE_TO_ONE', onDelete: 'RESTRICT' },
        next: { type: 'RELATION', to: 'places', reverseKey: 'earlier' },
      },
      indexes: {
        yearName: { type: 'UNIQUE', attributes: ['year', 'name'] },
        secretHouse: { type: 'UNIQUE', attributes: ['secret', 'house'] },
      },
    },
  })
})
beforeEach(() => documents.clear())
after(() => documents.close())

test('of many inputs it is said which one, whatever the type of the value', async () => {
  const { as, run, done, refused } = documents
  const create = 'mutation ($i: [CreateThingInput!]!) { createThings(inputs: $i) { id } }'
  for (const [key, [, values]] of Object.entries(uniques)) {
    await documents.clear()
    const inputs = values.map((value) => ({ [key]: value }))
    const error = (place: number) => [`CONFLICT Another document has this ${key}. (inputs.${place}.${key})`]
    const errorsOf = async (i: object[]) => (await run(as('ann'), create, { i })).errors
    // The second of two that are equal.
    for (const [i, input] of inputs.entries()) {
      assert.deepEqual(await errorsOf([...inputs.slice(0, i + 1), input, {}]), error(i + 1))
    }
    await done(as('bob'), create, { i: inputs.slice(-1) })
    await refused(as('ann'), create, error(inputs.length - 1)[0] ?? '', { i: inputs })
  }
})

test('one input, one that is changed, one that is made of what it was', async () => {
  const { as, done, refused } = documents
  const [ann, bob] = [as('ann'), as('bob')]
  await done(bob, 'mutation { createPlace(input: { id: "b", year: 1, name: "x", count: 2 }) { id } }')
  await done(ann, 'mutation { createPlace(input: { id: "a", year: 1, name: "y", count: 1 }) { id } }')
  const wrong: [string, string][] = [
    ['createPlace(input: { id: "b" })', 'id. (input.id)'],
    ['createPlace(input: { year: 1, name: "x" })', 'year, name. (input.year)'],
    ['updatePlace(input: { id: "a", count: 2 })', 'count. (input.count)'],
    ['updatePlace(input: { id: "a", name: "x" })', 'year, name. (input.name)'],
    ['updatePlace(input: { id: "a" }, apply: { count: { increment: 1 } })', 'count. (apply.count)'],
    ['updatePlace(input: { id: "a", earlier: { create: [{ count: 2 }] } })', 'count. (input.earlier.create.0.count)'],
    ['upsertPlace(input: { id: "b" })', 'id. (input.id)'],
    ['upsertPlace(input: { id: "a", count: 2 })', 'count. (input.count)'],
  ]
  for (const [call, said] of wrong)
    await refused(ann, `mutation { ${call} { id } }`, `CONFLICT Another document has this ${said}`)
  const set = 'mutation { updatePlaces(where: {}, set: { count: 2 }) { count } }'
  await refused(ann, set, 'CONFLICT Another document has this count. (set.count)')
  const apply = 'mutation { updatePlaces(where: {}, set: {}, apply: { count: { increment: 1 } }) { count } }'
  await refused(ann, apply, 'CONFLICT Another document has this count. (apply.count)')
})

test('values of several fields, a default among them', async () => {
  const { as, refused, done } = documents
  const create = 'mutation ($i: [CreatePlaceInput!]!) { createPlaces(inputs: $i) { id } }'
  await done(as('bob'), create, { i: [{ name: '2000, x' }, { year: 1, name: 'x' }] })
  const error = (place: string) => `CONFLICT Another document has this year, name. (inputs.${place})`
  await refused(as('ann'), create, error('1.name'), { i: [{ year: 2, name: 'x' }, { name: '2000, x' }] })
  await refused(as('ann'), create, error('2.year'), { i: [{ name: 'x' }, {}, { year: 1, name: 'x' }] })
  const upsert = 'mutation ($i: [UpsertPlaceInput!]!) { upsertPlaces(inputs: $i) { id } }'
  await done(as('ann'), upsert, {
    i: [
      { id: 'p', name: 'p' },
      { id: 'q', name: 'q' },
    ],
  })
  await refused(as('ann'), upsert, error('1.year'), {
    i: [
      { id: 'p', year: 1, name: 'p' },
      { id: 'q', year: 1, name: 'x' },
    ],
  })
})

test('what a changed document keeps is not taken for its default: then no input is named', async () => {
  const { as, refused, done } = documents
  await done(as('bob'), 'mutation { createPlace(input: { name: "x" }) { id } }')
  const upsert = 'mutation ($i: [UpsertPlaceInput!]!) { upsertPlaces(inputs: $i) { id } }'
  await done(as('ann'), upsert, { i: [{ id: 'p' }, { id: 'q', year: 1 }] })
  const inputs = [
    { id: 'p', name: 'x' },
    { id: 'q', name: 'x' },
  ]
  await refused(as('ann'), upsert, 'CONFLICT Another document has this year, name. (inputs.name)', { i: inputs })
})

test('what stands within others', async () => {
  const { as, done, refused } = documents
  await done(as('bob'), 'mutation { createPlace(input: { count: 7 }) { id } }')
  await done(as('ann'), 'mutation { createThing(input: { id: "t" }) { id } }')
  const deep =
    'createPlace(input: { earlier: { create: [{ count: 1 }, { earlier: { create: [{ count: 2 }, { count: 7 }] } }] } })'
  const error = 'CONFLICT Another document has this count. (input.earlier.create.1.earlier.create.1.count)'
  await refused(as('ann'), `mutation { ${deep} { id } }`, error)
  await refused(
    as('ann'),
    'mutation { createPlaces(inputs: [{ owner: "t" }, { next: null }, { owner: "t" }]) { id } }',
    'CONFLICT Another document has this owner. (inputs.2.owner)',
  )
  await refused(
    as('ann'),
    'mutation { createPlaces(inputs: [{ earlier: { create: [{}, { next: "none" }] } }]) { id } }',
    /^INVALID .* \(inputs\.0\.earlier\.create\.1\.next\)$/,
  )
  await refused(
    documents.owner,
    'mutation { createPlaces(inputs: [{ earlier: { create: [{}, { owner: "none" }] } }]) { id } }',
    'INVALID There is no such document. (inputs.0.earlier.create.1.owner)',
  )
})

test('a field that the caller may know nothing of is not named', async () => {
  const { as, done, refused, owner } = documents
  await done(owner, 'mutation { createPlace(input: { house: 1 }) { id } }')
  const create = 'mutation { createPlaces(inputs: [{}, { house: 1 }]) { id } }'
  await refused(as('ann'), create, 'CONFLICT Another document has this house. (inputs.1.house)')
  await refused(as('eve', ['staff']), create, 'CONFLICT Another document has this secret, house. (inputs.1.house)')
})

test('what a field holds that the caller may not read changes nothing that is said', async () => {
  const { as, done, refused, owner } = documents
  const create = (id: string, note: string) =>
    `mutation { createPlace(input: { id: "${id}", short: "abc", note: "${note}", permissions: [{ role: "any", right: READ }, { role: "any", right: UPDATE }] }) { id } }`
  const change = (id: string) =>
    `mutation { updatePlace(input: { id: "${id}" }, apply: { short: { concat: "defg" } }) { id } }`
  for (const [id, note] of [
    ['plain', 'nothing'],
    ['odd', 'a)=(b'],
  ] as const) {
    await done(owner, create(id, note))
    await refused(as('ann'), change(id), 'INVALID This is too long. (apply.short)')
  }
})

test('both paths, and in a transaction', async () => {
  const { world, owner, as, done, state } = documents
  await done(owner, 'mutation { createPlace(input: { count: 3 }) { id } }')
  const [compiled, ordinary] = [createGraphql(world.app), createGraphql(world.app, undefined, { plans: false })]
  const query = 'mutation ($i: [CreatePlaceInput!]!) { createPlaces(inputs: $i) { id } }'
  const together =
    'mutation @transaction { one: createPlace(input: { count: 9 }) { id } createPlaces(inputs: [{ count: 8 }, { count: 9 }]) { id } }'
  const ask = async (graphql: typeof compiled, text: string, i: object[]) => {
    const answer = await graphql.run({ ...as('ann') }, { query: text, variables: { i } }, ['mutation'])
    return isRaw(answer) ? JSON.parse(answer.json) : answer
  }
  const earlier = await state()
  for (const graphql of [compiled, ordinary]) {
    for (let tried = 0; tried < 3; tried += 1) {
      const { errors } = await ask(graphql, query, [{ count: 1 }, { count: 3 }])
      assert.deepEqual(errors[0].extensions.path, ['inputs', '1', 'count'])
    }
    const { errors } = await ask(graphql, together, [])
    assert.deepEqual(errors[0].extensions, { path: ['inputs', '1', 'count'], code: 'CONFLICT' })
  }
  assert.equal(await state(), earlier)
  await compiled.close()
  await ordinary.close()
})

test('what is to be changed and is not there, on both paths and in a transaction', async () => {
  const { world, owner, as, done, state } = documents
  await done(owner, 'mutation { createPlace(input: { id: "hidden" }) { id } }')
  const earlier = await state()
  const changes: [string, (id: string) => string][] = [
    ['input.id', (id) => `updatePlace(input: { id: "${id}", year: 1 }) { id }`],
    ['input.id', (id) => `updatePlace(input: { id: "${id}" }, apply: { year: { increment: 1 } }) { id }`],
    ['input.id', (id) => `updatePlace(input: { id: "${id}", earlier: { create: [{ year: 1 }] } }) { id }`],
    ['id', (id) => `deletePlace(id: "${id}")`],
  ]
  for (const terms of [undefined, { plans: false }]) {
    const graphql = createGraphql(world.app, undefined, terms)
    for (const [path, change] of changes) {
      for (const id of ['none', 'hidden', 'no id']) {
        for (const query of [
          `mutation { ${change(id)} }`,
          `mutation @transaction { createThing(input: {}) { id } ${change(id)} }`,
        ]) {
          const answer = await graphql.run({ ...as('ann') }, { query }, ['mutation'])
          const { errors } = isRaw(answer) ? JSON.parse(answer.json) : answer
          assert.deepEqual(errors[0].extensions, { path: path.split('.'), code: 'NOT_FOUND' }, `${query} of ${id}`)
        }
      }
    }
    await graphql.close()
  }
  assert.equal(await state(), earlier)
})

test('a version, a key, and what others point at', async () => {
  const { owner, done, refused } = documents
  await done(owner, 'mutation { createPlace(input: { id: "p", owner: null, newOwner: { id: "t" } }) { id } }')
  const version = /^CONFLICT .* version .* \(ifVersion\)$/
  await refused(owner, 'mutation { updatePlace(input: { id: "p", year: 1 }, ifVersion: 7) { id } }', version)
  await refused(owner, 'mutation { deletePlace(id: "p", ifVersion: 7) }', version)
  await refused(owner, 'mutation { deleteThing(id: "t") }', 'CONFLICT Documents of `places` point at this one. (id)')
  await refused(
    owner,
    'mutation { deleteThings(where: {}) { count } }',
    'CONFLICT Documents of `places` point at this one. (where)',
  )
  const once = (year: number) =>
    `mutation { createPlace(input: { year: ${year}, name: "once" }, idempotencyKey: "k") { id } }`
  await done(owner, once(1))
  await refused(owner, once(2), /^CONFLICT .* \(idempotencyKey\)$/)
})
