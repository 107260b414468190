import { after, before, test } from 'node:test'
import { type Documents, openProject } from '../../src/testing/documents.ts'
import { createTables } from '../../src/testing/tables.ts'

let d: Documents

before(async () => {
  d = await openProject(async (world) => {
    const { ctx, make, addAttribute } = await createTables(world)
    const where = { owner: { eq: '$userId' } }
    const items = await make({
      key: 'items',
      permissions: [{ right: 'read', role: 'any' }],
      rules: (['create', 'update', 'delete'] as const).map((right) => ({ right, role: 'users', where })),
      attributes: [
        { key: 'owner', type: 'STRING', size: 20 },
        { key: 'title', type: 'STRING', size: 20, pattern: '^[A-Z]' },
        { key: 'code', type: 'STRING', size: 20, unique: true },
      ],
    })
    const parent = { key: 'parent', type: 'RELATION', reverseKey: 'children', onDelete: 'SET_NULL' } as const
    await addAttribute(items, { ...parent, relatedCollectionId: items })
    const secrets = await make({ key: 'secrets' })
    await addAttribute(secrets, { ...parent, relatedCollectionId: items, reverseKey: 'secrets', onDelete: 'RESTRICT' })
    const permissions = (['create', 'read'] as const).map((right) => ({ right, role: 'users' }))
    const notes = await make({ key: 'notes', permissions })
    const hidden = { permissions: [{ right: 'read', role: 'label:staff' }] } as const
    await addAttribute(notes, {
      ...parent,
      ...hidden,
      relatedCollectionId: items,
      reverseKey: 'notes',
      onDelete: 'RESTRICT',
    })
    return { projectId: ctx.projectId, owner: ctx, ids: { items, secrets, notes } }
  })
  await d.done(d.owner, 'mutation { createItem(input: { id: "bobs", owner: "bob", title: "B", code: "b" }) { id } }')
})
after(() => d.close())

const mine = { owner: 'ann', title: 'T' }
const many = (wrong: object) => Array.from({ length: 40 }, (_, i) => ({ ...mine, ...(i === 27 ? wrong : {}) }))
const create = 'mutation ($inputs: [CreateItemInput!]!) { createItems(inputs: $inputs) { id } }'
const upsert = (on = '') => `mutation ($inputs: [UpsertItemInput!]!) { upsertItems(inputs: $inputs${on}) { id } }`
const notSo = 'FORBIDDEN You may not write a document like this.'

test('of many that are created the one is named that is refused', async () => {
  const refused: [wrong: object, error: string][] = [
    [{ title: 'small' }, 'INVALID This does not match its pattern. (inputs.27.title)'],
    [{ id: 'given', title: 'small' }, 'INVALID This does not match its pattern. (inputs.27.title)'],
    [{ owner: 'bob' }, `${notSo} (inputs.27)`],
    [
      { permissions: [{ right: 'READ', role: 'team:x' }] },
      'FORBIDDEN You may not grant the role team:x: you do not hold it. (inputs.27.permissions)',
    ],
    [{ children: { create: [mine, { ...mine, owner: 'bob' }] } }, `${notSo} (inputs.27.children.create.1)`],
    [
      { children: { create: [mine, { ...mine, title: 'small' }] } },
      'INVALID This does not match its pattern. (inputs.27.children.create.1.title)',
    ],
    [{ children: { connect: ['bobs'] } }, 'FORBIDDEN You may not change this document. (inputs.27.children.connect.0)'],
  ]
  for (const [wrong, error] of refused) await d.refused(d.as('ann'), create, error, { inputs: many(wrong) })
})

test('of many that are created or changed, too', async () => {
  await d.done(d.as('ann'), create, { inputs: [{ ...mine, id: 'a', code: 'a' }] })
  const inputs = (wrong: object) => [{ ...mine, id: 'a' }, { ...mine, id: 'new' }, wrong]
  const refused: [wrong: object, error: string][] = [
    [{ id: 'bobs', title: 'C', owner: 'ann' }, 'FORBIDDEN You may not change this document. (inputs.2)'],
    [{ id: 'c', title: 'small', owner: 'ann' }, 'INVALID This does not match its pattern. (inputs.2.title)'],
    [{ id: 'c', title: 'C', owner: 'bob' }, `${notSo} (inputs.2)`],
  ]
  for (const [wrong, error] of refused) await d.refused(d.as('ann'), upsert(), error, { inputs: inputs(wrong) })
  await d.refused(d.as('ann'), upsert(', on: code'), 'INVALID This does not match its pattern. (inputs.1.title)', {
    inputs: [
      { ...mine, code: 'x' },
      { ...mine, code: 'a', title: 'small' },
    ],
  })
})

test('of one there is nothing to tell', async () => {
  const one = 'mutation ($input: CreateItemInput!) { createItem(input: $input) { id } }'
  await d.refused(d.as('ann'), one, notSo, { input: { ...mine, owner: 'bob' } })
  const change = 'mutation { updateItem(input: { id: "bobs", title: "C" }) { id } }'
  await d.refused(d.as('ann'), change, 'FORBIDDEN You may not change this document.')
  const all = 'mutation { updateItems(where: {}, set: { title: "C" }) { count } }'
  await d.refused(d.as('ann'), all, 'FORBIDDEN You may not change this document.')
})

test('what stands in the way of a delete is named to those who may read it', async () => {
  const secret = `mutation { createItem(input: { id: "kept", owner: "ann", title: "T" }) { id }
    createSecret(input: { parent: "kept" }) { id } }`
  await d.done(d.owner, secret)
  const remove = 'mutation { deleteItem(id: "kept") }'
  await d.refused(d.owner, remove, 'CONFLICT Documents of `secrets` point at this one. (id)')
  await d.refused(d.as('ann'), remove, 'CONFLICT Other documents point at this one. (id)')
  await d.refused(d.key('documents.write'), remove, 'CONFLICT Other documents point at this one. (id)')
})

test('and where they point', async () => {
  const noted = `mutation { createItem(input: { id: "noted", owner: "ann", title: "T" }) { id }
    createNote(input: { parent: "noted" }) { id } }`
  await d.done(d.owner, noted)
  const remove = 'mutation { deleteItem(id: "noted") }'
  await d.refused(d.as('ann', ['staff']), remove, 'CONFLICT Documents of `notes` point at this one. (id)')
  await d.refused(d.as('ann'), remove, 'CONFLICT Other documents point at this one. (id)')
})
