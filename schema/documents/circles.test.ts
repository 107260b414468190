/** Documents that point at themselves, at each other and in a circle. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { type Documents, openDocuments } from '../../src/testing/documents.ts'

const kinds = ['CASCADE', 'SET_NULL', 'RESTRICT'] as const
const names = { CASCADE: 'falling', SET_NULL: 'freed', RESTRICT: 'held' }

let documents: Documents

before(async () => {
  const entries = kinds.flatMap((onDelete) => {
    const name = names[onDelete]
    return [
      [
        `${name}Firsts`,
        { attributes: { to: { type: 'RELATION', to: `${name}Seconds`, reverseKey: 'from', onDelete } } },
      ],
      [
        `${name}Seconds`,
        { attributes: { to: { type: 'RELATION', to: `${name}Firsts`, reverseKey: 'from', onDelete } } },
      ],
    ] as const
  })
  documents = await openDocuments({
    nodes: {
      attributes: Object.fromEntries(
        kinds.map((onDelete) => [
          names[onDelete],
          { type: 'RELATION', to: 'nodes', reverseKey: `${names[onDelete]}By`, onDelete },
        ]),
      ),
    },
    ...Object.fromEntries(entries),
  })
})
beforeEach(() => documents.clear())
after(() => documents.close())

const idsIn = async (list: string): Promise<string[]> => {
  const data = await documents.done(documents.owner, `{ ${list}(orderBy: [{ id: ASC }]) { nodes { id } } }`)
  return data[list].nodes.map(({ id }: { id: string }) => id)
}
const pointing = (id: string, key: string, to: string) =>
  `${id}${to}: updateNode(input: { id: "${id}", ${key}: "${to}" }) { id }`

/** a → b → c → a, and a node that points at itself. */
async function makeCircle(key: string): Promise<void> {
  const { owner, done } = documents
  await done(owner, 'mutation { createNodes(inputs: [{ id: "a" }, { id: "b" }, { id: "c" }, { id: "self" }]) { id } }')
  const links = [
    pointing('a', key, 'b'),
    pointing('b', key, 'c'),
    pointing('c', key, 'a'),
    pointing('self', key, 'self'),
  ]
  await done(owner, `mutation { ${links.join(' ')} }`)
  await documents.world.app.sql.query('truncate events.outbox')
}

test('CASCADE in a circle: all of it goes, each once', async () => {
  const { owner, done, events } = documents
  await makeCircle('falling')
  await done(owner, 'mutation { deleteNode(id: "b") }')
  assert.deepEqual(await idsIn('nodes'), ['self'])
  assert.deepEqual(await events(), Array(3).fill('nodes deleted'))
  await done(owner, 'mutation { deleteNode(id: "self") }')
  assert.deepEqual(await idsIn('nodes'), [])
})

test('SET_NULL in a circle: what pointed at it is free', async () => {
  const { owner, done, events } = documents
  await makeCircle('freed')
  await done(owner, 'mutation { deleteNode(id: "b") deleteNodes(where: { id: { eq: "self" } }) { count } }')
  assert.deepEqual(await idsIn('nodes'), ['a', 'c'])
  const { a, c } = await done(owner, '{ a: node(id: "a") { freed { id } version } c: node(id: "c") { freed { id } } }')
  assert.deepEqual([a, c], [{ freed: null, version: 3 }, { freed: { id: 'a' } }])
  // The one that points at itself has nobody left to tell.
  assert.deepEqual((await events()).filter((event) => event.includes('updated')).slice(0, 1), ['nodes updated freed'])
})

test('RESTRICT in a circle: no part of it goes alone, all of it goes together', async () => {
  const { owner, done, refused } = documents
  await makeCircle('held')
  await refused(owner, 'mutation { deleteNode(id: "b") }', 'CONFLICT Documents of `nodes` point at this one. (id)')
  await done(owner, 'mutation { deleteNode(id: "self") }')
  assert.deepEqual(await done(owner, 'mutation { deleteNodes(where: {}) { count } }'), { deleteNodes: { count: 3 } })
})

test('two collections that point at each other', async () => {
  const { owner, done, refused, events } = documents
  for (const onDelete of kinds) {
    const name = names[onDelete]
    const [first, second] = [
      `${name[0]?.toUpperCase()}${name.slice(1)}First`,
      `${name[0]?.toUpperCase()}${name.slice(1)}Second`,
    ]
    await done(
      owner,
      `mutation { create${first}(input: { id: "a" }) { id } create${second}(input: { id: "b", to: "a" }) { id }
        update${first}(input: { id: "a", to: "b" }) { to { to { to { to { id } } } } } }`,
    )
    const remove = `mutation { delete${first}(id: "a") }`
    if (onDelete === 'RESTRICT')
      await refused(owner, remove, /^CONFLICT Documents of `held\w+` point at this one. \(id\)$/)
    else await done(owner, remove)
    const left = [await idsIn(`${name}Firsts`), await idsIn(`${name}Seconds`)]
    const expected = { CASCADE: [[], []], SET_NULL: [[], ['b']], RESTRICT: [['a'], ['b']] }
    assert.deepEqual(left, expected[onDelete], onDelete)
    const told = (await events()).filter((event) => /deleted|updated to$/.test(event)).slice(1)
    const due = {
      CASCADE: [`${name}Seconds deleted`, `${name}Firsts deleted`],
      SET_NULL: [`${name}Seconds updated to`, `${name}Firsts deleted`],
      RESTRICT: [],
    }
    assert.deepEqual(told, due[onDelete])
    await documents.world.app.sql.query('truncate events.outbox')
  }
})

test('a document may be made with what points back at it, and one that points at itself', async () => {
  const { owner, done } = documents
  const made = await done(
    owner,
    'mutation { createNode(input: { id: "x", held: "x", freed: "x", heldBy: { create: [{ id: "y", freed: "x" }] } }) { held { id } heldBy { nodes { id freed { id } } } } }',
  )
  assert.deepEqual(made.createNode, {
    held: { id: 'x' },
    heldBy: {
      nodes: [
        { id: 'x', freed: { id: 'x' } },
        { id: 'y', freed: { id: 'x' } },
      ],
    },
  })
})
