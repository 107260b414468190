import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createStage, type Stage } from './fixture.ts'

let stage: Stage
let file: string
before(async () => {
  stage = await createStage()
  file = join(stage.folder, 'tendril.schema.ts')
})
after(() => stage.close())

const write = (collections: string) =>
  writeFileSync(file, `export default { databases: { main: { collections: { ${collections} } } } }\n`)
const read = () => readFileSync(file, 'utf8')

const blog = `
  posts: {
    permissions: ['read:any', 'write:label:staff'],
    attributes: {
      title: { type: 'STRING', size: 200, required: true },
      views: { type: 'INTEGER', default: 0 },
      published: { type: 'DATETIME', default: '2026-11-23T12:00:00+02:00' },
      author: { type: 'RELATION', to: 'authors', reverseKey: 'posts', onDelete: 'SET_NULL' },
    },
    indexes: { byTitle: { type: 'KEY', attributes: ['title', 'views'], orders: ['ASC', 'DESC'] } },
  },
  authors: {
    documentPermissions: false,
    attributes: {
      name: { type: 'STRING', size: 80 },
      mentor: { type: 'RELATION', to: 'authors', onDelete: 'SET_NULL' },
      best: { type: 'RELATION', to: 'posts', onDelete: 'SET_NULL' },
    },
  },`

test('a schema is pushed, and then differs in nothing', async () => {
  write(blog)
  const diff = await stage.tendril('schema', 'diff')
  assert.equal(diff.code, 2, diff.err)
  assert.deepEqual(
    diff.out
      .trim()
      .split('\n')
      .map((line) => line.split(':')[0]?.replace(/ \(.*/, '')),
    [
      '+ database main',
      '+ collection main.posts',
      '+ collection main.authors',
      '+ attribute main.posts.author',
      '+ attribute main.authors.mentor',
      '+ attribute main.authors.best',
    ],
  )
  const push = await stage.tendril('schema', 'push')
  assert.equal(push.code, 0, push.err)
  assert.match(push.err, /\[6\/6\] \+ attribute main\.authors\.best/)
  const again = await stage.tendril('schema', 'diff')
  assert.deepEqual([again.code, again.out], [0, 'Nothing to do.\n'])
})

test('what is pulled is typed, formatted, the same each time, and differs in nothing', async () => {
  assert.equal((await stage.tendril('schema', 'pull')).code, 0)
  const text = read()
  assert.match(text, /^import type \{ Schema \} from 'tendril\/schema'\n\nexport default \{\n {2}databases: \{/)
  assert.match(text, /author: \{ type: 'RELATION', to: 'authors', reverseKey: 'posts', onDelete: 'SET_NULL' \},/)
  assert.match(text, /permissions: \['read:any', 'write:label:staff'\],/)
  assert.deepEqual((await stage.tendril('schema', 'diff')).code, 0)
  await stage.tendril('schema', 'pull')
  assert.equal(read(), text)
  const root = join(import.meta.dirname, '..')
  const inside = join(root, 'cli', `pulled-${process.pid}.ts`)
  const formatted = execFileSync('node_modules/.bin/biome', ['format', `--stdin-file-path=${inside}`], {
    cwd: root,
    input: text,
  })
  assert.equal(formatted.toString(), text)
})

test('the schema of one project makes another one the same', async () => {
  const other = await stage.createProject()
  const env = { TENDRIL_PROJECT: other.projectId, TENDRIL_KEY: other.key }
  const push = await stage.tendrilAs(env, 'schema', 'push')
  assert.equal(push.code, 0, push.err)
  await stage.tendrilAs(env, 'schema', 'pull', '--file', 'other.ts')
  assert.equal(readFileSync(join(stage.folder, 'other.ts'), 'utf8'), read())
})

test('what destroys data says how much, and needs a flag', async () => {
  for (const views of [1, 2, null]) {
    await create({ title: 'a', views })
  }
  write(blog.replace("views: { type: 'INTEGER', default: 0 },", '').replace(", 'views'], orders: ['ASC', 'DESC']", ']'))
  const refused = await stage.tendril('schema', 'push')
  assert.equal(refused.code, 1)
  assert.match(refused.err, /- attribute main\.posts\.views {3}! destroys the value that 2 documents have/)
  assert.match(refused.err, /--allow-destructive/)
  assert.equal((await stage.tendril('schema', 'diff')).code, 2)
  const json = JSON.parse((await stage.tendril('schema', 'diff', '--json')).out)
  assert.deepEqual(json.losses[0].documents, 2)
  const push = await stage.tendril('schema', 'push', '--allow-destructive')
  assert.equal(push.code, 0, push.err)
  assert.equal((await stage.tendril('schema', 'diff')).code, 0)
  write('')
  const all = await stage.tendril('schema', 'diff')
  assert.match(all.out, /- collection main\.posts {3}! destroys 3 documents of posts/)
  write(blog)
})

async function create(input: object) {
  for (let i = 0; ; i++) {
    try {
      return await stage.request('mutation ($input: CreatePostInput!) { createPost(input: $input) { id } }', { input })
    } catch (error) {
      if (i === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

test('a push stops at the first step that fails, with its reason, and can be taken up again', async () => {
  const twice = { title: 'same' }
  await create(twice)
  await create(twice)
  const more = blog.replace('indexes: {', "indexes: { once: { type: 'UNIQUE', attributes: ['title'] },")
  write(more)
  const failed = await stage.tendril('schema', 'push')
  assert.equal(failed.code, 1)
  assert.match(failed.err, /\+ index main\.posts\.once: .*\n {2}failed: .*\n\d of \d steps are done\./)
  write(more.replace("['title'] }", "['title', 'published', 'createdAt'] }"))
  const push = await stage.tendril('schema', 'push', '--allow-destructive')
  assert.equal(push.code, 0, push.err)
  assert.equal((await stage.tendril('schema', 'diff')).code, 0)
})

test('what is wrong in a file is said with its place', async () => {
  const errorOf = async (text: string) => {
    write(text)
    const { code, err } = await stage.tendril('schema', 'diff')
    assert.equal(code, 1)
    return err
  }
  assert.match(
    await errorOf("posts: { attributes: { title: { type: 'STRING', sizee: 1 } } }"),
    /databases\.main\.collections\.posts\.attributes\.title: .*sizee/,
  )
  assert.match(
    await errorOf("posts: { attributes: { a: { type: 'RELATION', to: 'nothing' } } }"),
    /main\.posts\.a points at “nothing”/,
  )
  assert.match(await errorOf('posts: {{'), /tendril\.schema\.ts cannot be read/)
  assert.match(await errorOf("__proto__x: 1, 'a b': { attributes: {} }"), /A key begins with a small letter/)
  const nothing = await stage.tendril('schema', 'diff', '--file', 'absent.ts')
  assert.match(nothing.err, /There is no absent\.ts/)
})

test('a server that is not there, a wrong key, a wrong project and a missing scope are told apart', async () => {
  const errorOf = async (env: Record<string, string>) => {
    const { code, err } = await stage.tendrilAs(env, 'schema', 'pull', '--file', 'x.ts')
    assert.equal(code, 1)
    return err
  }
  assert.match(
    await errorOf({ TENDRIL_URL: 'http://127.0.0.1:65534' }),
    /^tendril: No server answers at http:\/\/127\.0\.0\.1:65534 \(ECONNREFUSED\)/,
  )
  assert.match(await errorOf({ TENDRIL_KEY: `key_${'a'.repeat(40)}` }), /The key is not valid for the project/)
  assert.match(await errorOf({ TENDRIL_PROJECT: 'prj_none' }), /There is no project prj_none/)
  assert.match(await errorOf({ TENDRIL_KEY: '' }), /Say which key: --key or TENDRIL_KEY/)
  assert.match(await errorOf({ TENDRIL_URL: 'localhost' }), /--url is no URL/)
  const { projectId, key } = await stage.createProject(['documents.read'])
  assert.match(await errorOf({ TENDRIL_PROJECT: projectId, TENDRIL_KEY: key }), /it needs the scope databases\.read/)
  const reader = await stage.createProject(['databases.read'])
  write(blog)
  const push = await stage.tendrilAs({ TENDRIL_PROJECT: reader.projectId, TENDRIL_KEY: reader.key }, 'schema', 'push')
  assert.match(push.err, /failed: The scope databases\.write is needed for createDatabase/)
})

test('every kind of attribute, index and setting goes to a server and comes back', async () => {
  const project = await stage.createProject()
  const env = { TENDRIL_PROJECT: project.projectId, TENDRIL_KEY: project.key }
  write(`
    things: {
      typeName: 'Item', name: 'All things', description: 'What there is.\\nIn "two" lines.', documentPermissions: false, permissions: ['read:any'], cacheSeconds: 60,
      rules: [{ right: 'update', role: 'users', where: { owner: { eq: '$userId' } } }],
      attributes: {
        owner: { type: 'STRING', size: 40, unique: true }, body: { type: 'TEXT', pattern: '^[a-z]' },
        count: { type: 'INTEGER', min: 0, max: 10, default: 1 }, big: { type: 'BIGINT', default: '9007199254740993' },
        price: { type: 'DECIMAL', min: '0.01', description: 'In euros, isn\u2019t it.' }, score: { type: 'FLOAT' }, tags: { type: 'STRING', size: 20, list: true },
        kind: { type: 'ENUM', elements: ['A', 'B'], default: 'A' }, day: { type: 'DATE' }, mail: { type: 'EMAIL' },
        link: { type: 'URL' }, ip: { type: 'IP' }, uuid: { type: 'UUID' }, any: { type: 'JSON', encrypted: true },
        at: { type: 'POINT' }, area: { type: 'POLYGON', permissions: ['read:users', 'update:label:staff'] },
        double: { type: 'INTEGER', computed: 'count * 2' },
        others: { type: 'RELATION', to: 'things', relation: 'MANY_TO_MANY', reverseKey: 'back' },
        twin: { type: 'RELATION', to: 'things', relation: 'ONE_TO_ONE', onDelete: 'CASCADE', description: 'The same one.' },
      },
      indexes: {
        words: { type: 'FULLTEXT', attributes: ['body'], language: 'english' }, tagged: { type: 'GIN', attributes: ['tags'] },
        near: { type: 'SPATIAL', attributes: ['at'] },
      },
    }`)
  const push = await stage.tendrilAs(env, 'schema', 'push')
  assert.equal(push.code, 0, push.err)
  const diff = await stage.tendrilAs(env, 'schema', 'diff')
  assert.deepEqual([diff.code, diff.out], [0, 'Nothing to do.\n'])
  await stage.tendrilAs(env, 'schema', 'pull')
  assert.equal((await stage.tendrilAs(env, 'schema', 'diff')).code, 0)
})

test('a database has the name of the file; a type that is none is told with its attribute', async () => {
  const project = await stage.createProject()
  const env = { TENDRIL_PROJECT: project.projectId, TENDRIL_KEY: project.key }
  const run = (...args: string[]) => stage.tendrilAs(env, 'schema', ...args)
  const named = (name: string, type: string) =>
    writeFileSync(
      file,
      `export default { databases: { main: { name: '${name}', collections: { notes: { attributes: { a: { type: '${type}' } } } } } } }\n`,
    )
  named('Main', 'INTEGER')
  assert.equal((await run('push')).code, 0)
  named('Blog', 'INTEGER')
  assert.equal((await run('diff')).out, '~ database main: name "Blog"\n')
  assert.equal((await run('push')).code, 0)
  assert.equal((await run('diff')).out, 'Nothing to do.\n')
  named('Blog', 'INT')
  assert.match((await run('diff')).err, /^tendril: ~ attribute main\.notes\.a: INT\n {2}.*"INT" does not exist/)
})

test('help, version and what is mistyped', async () => {
  const { name, version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  assert.equal(name, 'tendril')
  assert.equal((await stage.tendril('--version')).out, `${version}\n`)
  assert.match((await stage.tendril('help')).out, /schema push/)
  assert.match((await stage.tendril('help', 'schema', 'push')).out, /\n {2}--allow-destructive +also do the steps that/)
  const { out } = await stage.tendril('functions', 'push', '--help')
  for (const option of ['only', 'no-activate', 'force', 'url', 'help'])
    assert.match(out, new RegExp(`\n  --${option} +\\S`))
  const wrong = await stage.tendril('schema', 'push', '--nothing')
  assert.match(wrong.err, /Unknown option '--nothing'\.\nUsage: tendril schema push/)
  assert.equal(wrong.code, 1)
})

test('a description is pushed, changed and taken away without a flag, and what is none is told with its place', async () => {
  const project = await stage.createProject()
  const env = { TENDRIL_PROJECT: project.projectId, TENDRIL_KEY: project.key }
  const notes = (settings: string, more: string) =>
    write(`notes: { ${settings} attributes: { body: { type: 'TEXT'${more} } } },`)
  const push = async () => {
    const { out } = await stage.tendrilAs(env, 'schema', 'diff')
    const pushed = await stage.tendrilAs(env, 'schema', 'push')
    assert.equal(pushed.code, 0, pushed.err)
    assert.equal((await stage.tendrilAs(env, 'schema', 'diff')).out, 'Nothing to do.\n')
    return out.trim().split('\n')
  }
  notes('', '')
  await push()
  notes(`description: 'What we noted.',`, `, description: 'In Markdown.'`)
  assert.deepEqual(await push(), [
    '~ attribute main.notes.body: description "In Markdown."',
    '~ collection main.notes: description "What we noted."',
  ])
  await stage.tendrilAs(env, 'schema', 'pull')
  assert.match(
    read(),
    /notes: \{\s+typeName: .Note.,\s+description: 'What we noted\.',\s+attributes: \{\s+body: \{ type: 'TEXT', description: 'In Markdown\.' \}/,
  )
  notes('', `, description: 'In HTML.'`)
  assert.deepEqual(await push(), [
    '~ attribute main.notes.body: description "In HTML."',
    '~ collection main.notes: description null',
  ])
  notes(`description: ' ',`, '')
  assert.match(
    (await stage.tendrilAs(env, 'schema', 'diff')).err,
    /main\.collections\.notes\.description: A description has 1 to 1,000 characters\./,
  )
})
