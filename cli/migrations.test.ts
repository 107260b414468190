import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createStage, type Stage } from './fixture.ts'

let stage: Stage
before(async () => {
  stage = await createStage()
})
after(() => stage.close())

const migration = (...args: string[]) => stage.tendril('schema', 'migration', ...args)
const write = (attributes: string, indexes = '') =>
  writeFileSync(
    join(stage.folder, 'tendril.schema.ts'),
    `export default { databases: { main: { collections: { notes: { attributes: { ${attributes} }, indexes: { ${indexes} } } } } } }\n`,
  )
const files = () => readdirSync(join(stage.folder, 'migrations')).sort()
const pathOf = (i: number) => join(stage.folder, 'migrations', files()[i] ?? '')
const nameOf = (i: number) => (files()[i] ?? '').replace('.json', '')

async function statuses(): Promise<string[]> {
  const { out } = await migration('status', '--json')
  return JSON.parse(out).map((one: Record<string, string>) => `${one.status} ${one.done}/${one.steps}`)
}

const title = "title: { type: 'STRING', size: 40 }"
const views = "views: { type: 'INTEGER' }"

test('a migration is written, planned, applied once, and listed', async () => {
  assert.equal((await migration('status')).out, 'There are no migrations.\n')
  write(title)
  const made = await migration('new', 'First notes')
  assert.equal(made.code, 0, made.err)
  assert.match(made.out, /^migrations\/\d{14}_first_notes\.json\n$/)
  const { up, down } = JSON.parse(readFileSync(pathOf(0), 'utf8'))
  assert.deepEqual(
    [up.map((step: { do: string }) => step.do), down.map((step: { do: string }) => step.do)],
    [
      ['createDatabase', 'createCollection'],
      ['deleteCollection', 'deleteDatabase'],
    ],
  )
  assert.deepEqual(await statuses(), ['PENDING 0/2'])
  const plan = await migration('plan')
  assert.equal(plan.code, 2)
  assert.match(plan.out, /_first_notes\n {2}\+ database main\n {2}\+ collection main\.notes \(title\)/)
  const twice = await migration('new', 'again')
  assert.match(twice.err, /is not applied yet/)
  const apply = await migration('apply')
  assert.equal(apply.code, 0, apply.err)
  assert.deepEqual(await statuses(), ['APPLIED 2/2'])
  assert.equal((await migration('plan')).code, 0)
  assert.equal((await migration('apply')).err, 'Nothing to do.\n')
  assert.match((await migration('new', 'nothing')).err, /nothing to migrate/)
})

test('several are rolled back to the one that is named, newest first, from what the server has', async () => {
  write(`${title}, ${views}`)
  assert.equal((await migration('new', 'views')).code, 0)
  await migration('apply')
  write(`${title}, ${views}`, "byViews: { type: 'KEY', attributes: ['views'] }")
  assert.equal((await migration('new', 'by_views')).code, 0)
  await migration('apply')
  const refused = await migration('rollback', '--to', nameOf(0))
  assert.match(refused.err, /- attribute main\.notes\.views {3}! destroys the value that 0 documents have/)
  assert.equal(refused.code, 1)
  const back = await migration('rollback', '--to', nameOf(0), '--allow-destructive')
  assert.equal(back.code, 0, back.err)
  assert.match(back.err, new RegExp(`Rolled back: ${nameOf(2)}, ${nameOf(1)}\\.`))
  assert.deepEqual(await statuses(), ['APPLIED 2/2', 'PENDING 0/1', 'PENDING 0/1'])
  const apply = await migration('apply')
  assert.match(apply.err, new RegExp(`Applied: ${nameOf(1)}, ${nameOf(2)}\\.`))
  assert.equal((await stage.tendril('schema', 'diff')).code, 0)
})

test('a description is applied and rolled back without a flag', async () => {
  const described = async () => {
    const { collections } = await stage.request(
      '{ collections { nodes { attributes { nodes { key description } } } } }',
    )
    const { nodes } = collections as { nodes: { attributes: { nodes: object[] } }[] }
    return nodes[0]?.attributes.nodes
  }
  write(
    `${title.replace(' }', ", description: 'One line.' }")}, ${views}`,
    "byViews: { type: 'KEY', attributes: ['views'] }",
  )
  const made = await migration('new', 'words')
  assert.match(made.err, /~ attribute main\.notes\.title: description "One line\."/)
  const apply = await migration('apply')
  assert.equal(apply.code, 0, apply.err)
  const other = { key: 'views', description: null }
  assert.deepEqual(await described(), [{ key: 'title', description: 'One line.' }, other])
  const back = await migration('rollback')
  assert.equal(back.code, 0, back.err)
  assert.deepEqual(await described(), [{ key: 'title', description: null }, other])
  rmSync(pathOf(3))
})

test('a file that was changed after it was applied is refused', async () => {
  const text = readFileSync(pathOf(1), 'utf8')
  writeFileSync(pathOf(1), text.replace('views', 'viewz'))
  for (const command of ['apply', 'plan', 'rollback']) {
    const { code, err } = await migration(command)
    assert.equal(code, 1)
    assert.match(err, /_views\.json was changed after it was applied/)
  }
  assert.match((await migration('status')).out, /_views \(its file was changed\)/)
  // A checkout on another system may have other line ends.
  writeFileSync(pathOf(1), text.replaceAll('\n', '\r\n'))
  assert.equal((await migration('plan')).code, 0)
  writeFileSync(pathOf(1), text)
})

test('one that fails in the middle says how far it came, and is gone on with once the reason is gone', async () => {
  const name = '30000101000000_middle'
  const shape = { type: 'BOOLEAN' }
  const step = (attribute: string) => ({ do: 'createAttribute', collection: 'main.notes', attribute, shape })
  const back = (attribute: string) => ({ do: 'deleteAttribute', collection: 'main.notes', attribute })
  const up = ['first', 'second', 'third'].map(step)
  const down = ['third', 'second', 'first'].map(back)
  writeFileSync(join(stage.folder, 'migrations', `${name}.json`), JSON.stringify({ up, down }))
  // Somebody has made another attribute of this name by hand.
  const { collections } = (await stage.request('{ collections { nodes { id } } }')) as {
    collections: { nodes: { id: string }[] }
  }
  const input = { collectionId: collections.nodes[0]?.id, key: 'second', type: 'INTEGER' }
  const { createAttribute } = (await stage.request(
    'mutation ($input: CreateAttributeInput!) { createAttribute(input: $input) { id } }',
    { input },
  )) as { createAttribute: { id: string } }
  const failed = await migration('apply')
  assert.equal(failed.code, 1)
  assert.match(
    failed.err,
    /\[2\/3\] \+ attribute main\.notes\.second: BOOLEAN\n {2}failed: There is another attribute main\.notes\.second already\.\n1 of 3 steps are done\./,
  )
  assert.deepEqual((await statuses()).at(-1), 'APPLYING 1/3')
  await stage.request('mutation ($id: ID!) { deleteAttribute(id: $id) }', createAttribute)
  await stage.world.app.sql.query('select pg_sleep(1)')
  const resumed = await migration('apply')
  assert.equal(resumed.code, 0, resumed.err)
  assert.doesNotMatch(resumed.err, /\[1\/3\]/)
  assert.deepEqual((await statuses()).at(-1), 'APPLIED 3/3')
})

test('one that was left half applied can be rolled back', async () => {
  const { projectId } = stage
  await stage.world.app.db.schemaVersion.update({
    where: { projectId_name: { projectId, name: '30000101000000_middle' } },
    data: { status: 'APPLYING', done: 2 },
  })
  const back = await migration('rollback', '--allow-destructive')
  assert.equal(back.code, 0, back.err)
  assert.deepEqual((await statuses()).at(-1), 'PENDING 0/3')
})

test('two who apply at once: each step is done once, and one of them is told', async () => {
  const tries = await Promise.all([migration('apply'), migration('apply')])
  const codes = tries.map(({ code }) => code)
  assert.ok(codes.includes(0), tries.map(({ err }) => err).join('\n'))
  for (const { code, err } of tries) {
    if (code !== 0) assert.match(err, /Somebody else works on|is applied already|The last migration is/)
  }
  assert.deepEqual((await statuses()).at(-1), 'APPLIED 3/3')
})

test('a file that is no migration is named', async () => {
  const errorOf = async (name: string, text: string) => {
    const folder = join(stage.folder, 'wrong')
    const path = join(folder, name)
    mkdirSync(folder, { recursive: true })
    writeFileSync(path, text)
    const { err } = await migration('plan', '--folder', 'wrong')
    rmSync(path)
    return err
  }
  assert.match(await errorOf('20260101000000_x.json', '{'), /_x\.json is no JSON/)
  assert.match(await errorOf('20260101000000_x.json', '{}'), /needs the lists “up” and “down”/)
  assert.match(await errorOf('first.json', '{}'), /is no name of a migration/)
})
