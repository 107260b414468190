import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'

let d: Documents

const hidden = { restricted: true, permissions: ['read:label:staff', 'update:users'] }

before(async () => {
  d = await openDocuments({
    people: {
      permissions: ['read:users', 'write:users'],
      attributes: {
        name: { type: 'STRING' },
        score: { type: 'INTEGER', ...hidden },
        note: { type: 'STRING', size: 10, ...hidden },
        tags: { type: 'STRING', list: true, ...hidden },
        seen: { type: 'DATETIME', ...hidden },
      },
    },
  })
  const given = 'id: "p", score: 42, note: "hello", tags: ["a"], seen: "2026-01-01T00:00:00.000Z"'
  await d.done(d.owner, `mutation { createPerson(input: { ${given} }) { id } }`)
})
after(() => d.close())

const applied = (apply: string) => `mutation { updatePerson(input: { id: "p" }, apply: { ${apply} }) { id } }`

test('what is made of a value tells of it by being refused: it is for who may read the field as well', async () => {
  const operators = [
    'score: { increment: 0, max: 41 }',
    'score: { increment: 2147483605 }',
    'note: { concat: "123456" }',
    'tags: { remove: ["b"] }',
    'seen: { add: { years: 7974 } }',
  ]
  for (const operator of operators) {
    await d.refused(d.as('ann'), applied(operator), /^FORBIDDEN You may not read `\w+`/)
    const bulk = `mutation { updatePeople(where: {}, apply: { ${operator} }) { count } }`
    await d.refused(d.as('ann'), bulk, /^FORBIDDEN You may not read `\w+`/)
    const upsert = `mutation { upsertPerson(input: { id: "p" }, apply: { ${operator} }) { id } }`
    await d.refused(d.as('ann'), upsert, /^FORBIDDEN You may not read `\w+`/)
  }
  await d.done(d.as('bob', ['staff']), applied('score: { increment: 1, max: 43 }'))
  await d.done(d.as('ann'), 'mutation { updatePerson(input: { id: "p", score: 1, note: "x" }) { id } }')
})

test('a field that a class of callers can only set has no operator in their schema', async () => {
  const e = await openDocuments({
    votes: {
      permissions: ['read:any', 'update:any'],
      attributes: {
        count: { type: 'INTEGER', restricted: true, permissions: ['read:users', 'update:any'] },
        shown: { type: 'INTEGER' },
      },
    },
  })
  try {
    const fields = '{ __type(name: "VoteOperations") { inputFields { name } } }'
    const names = async (ctx = e.owner) =>
      (await e.done(ctx, fields)).__type.inputFields.map((one: { name: string }) => one.name)
    assert.deepEqual(await names(e.as(null)), ['shown'])
    assert.deepEqual(await names(), ['count', 'shown'])
  } finally {
    await e.close()
  }
})
