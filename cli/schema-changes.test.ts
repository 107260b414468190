import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
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

async function inNewProject() {
  const { projectId, key } = await stage.createProject()
  return (...args: string[]) => stage.tendrilAs({ TENDRIL_PROJECT: projectId, TENDRIL_KEY: key }, ...args)
}

test('what is renamed keeps its data; what changes its type is tried first', async () => {
  const run = await inNewProject()
  write("posts: { attributes: { title: { type: 'STRING', size: 20 }, code: { type: 'STRING', size: 20 } } }")
  assert.equal((await run('schema', 'push')).code, 0)
  writeFileSync(join(stage.folder, 'posts.jsonl'), '{"id":"a","title":"A","code":"5"}\n{"id":"b","code":"five"}\n')
  const put = await run('import', 'posts', 'posts.jsonl')
  assert.equal(put.code, 0, put.err)
  write(`articles: { renamedFrom: 'posts', attributes: {
    headline: { type: 'TEXT', renamedFrom: 'title' }, code: { type: 'INTEGER' },
  } }`)
  const diff = await run('schema', 'diff')
  assert.equal(
    diff.out,
    [
      '~ collection main.posts → main.articles',
      '~ attribute main.articles.title → headline',
      '~ attribute main.articles.headline: TEXT, size null',
      '~ attribute main.articles.code: INTEGER, size null   ! 1 document stands against it, b: Its value cannot become INTEGER.',
      '~ collection main.articles: name null',
      '',
    ].join('\n'),
  )
  const failed = await run('schema', 'push')
  assert.match(failed.err, /INTEGER, size null\n {2}failed: /)
  writeFileSync(join(stage.folder, 'fix.jsonl'), '{"id":"b","code":"6"}\n')
  const fixed = await run('import', 'articles', 'fix.jsonl', '--on-duplicate', 'update')
  assert.equal(fixed.code, 0, fixed.err)
  const push = await run('schema', 'push')
  assert.equal(push.code, 0, push.err)
  assert.equal((await run('schema', 'diff')).code, 0)
  const rows = (await run('export', 'articles')).out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    rows.map(({ id, headline, code }) => [id, headline, code]),
    [
      ['a', 'A', 5],
      ['b', null, 6],
    ],
  )
})

test('what is destroyed under the name of another attribute is counted by the name that it has', async () => {
  const run = await inNewProject()
  const text = "type: 'STRING', size: 20"
  write(`posts: { attributes: { title: { ${text} }, slug: { ${text}, computed: 'lower(title)' }, code: { ${text} } } }`)
  assert.equal((await run('schema', 'push')).code, 0)
  writeFileSync(join(stage.folder, 'posts.jsonl'), '{"id":"a","title":"A","code":"5"}\n{"id":"b","title":"B"}\n')
  assert.equal((await run('import', 'posts', 'posts.jsonl')).code, 0)
  write(`posts: { attributes: {
    title: { ${text} }, name: { ${text}, computed: 'lower(title)', renamedFrom: 'slug' },
    slug: { ${text}, encrypted: true, renamedFrom: 'code' },
  } }`)
  assert.deepEqual((await run('schema', 'diff')).out.split('\n').slice(0, 3), [
    '~ attribute main.posts.slug → name',
    '~ attribute main.posts.code → slug',
    '- attribute main.posts.slug   ! destroys the value that 1 document has',
  ])
})

test('of a relation to many those are counted that have any', async () => {
  const run = await inNewProject()
  write(`tags: { attributes: { name: { type: 'STRING', size: 20 } } },
    posts: { attributes: { tags: { type: 'RELATION', to: 'tags', relation: 'MANY_TO_MANY' } } }`)
  assert.equal((await run('schema', 'push')).code, 0)
  writeFileSync(join(stage.folder, 'tags.jsonl'), '{"id":"t"}\n{"id":"u"}\n')
  writeFileSync(join(stage.folder, 'posts.jsonl'), '{"id":"a","tags":["t","u"]}\n{"id":"b","tags":[]}\n{"id":"c"}\n')
  for (const one of ['tags', 'posts']) assert.equal((await run('import', one, `${one}.jsonl`)).code, 0)
  write("tags: { attributes: { name: { type: 'STRING', size: 20 } } }, posts: { attributes: {} }")
  assert.equal(
    (await run('schema', 'diff')).out,
    '- attribute main.posts.tags   ! destroys the value that 1 document has\n',
  )
})

test('an attribute becomes one of another type in one push with what is computed of it', async () => {
  const tendril = await inNewProject()
  const run = (...args: string[]) => tendril('schema', ...args)
  const both = (title: string, more = '') =>
    write(
      `notes: { attributes: { title: { ${title} }, slug: { type: 'STRING', size: 40, computed: 'lower(title)' }${more} } },`,
    )
  both("type: 'STRING', size: 40", ", was: { type: 'STRING', size: 40, computed: 'upper(title)' }")
  assert.equal((await run('push')).code, 0)
  both("type: 'TEXT'")
  const diff = await run('diff')
  assert.equal(diff.code, 2, diff.err)
  assert.doesNotMatch(diff.out, /!/)
  const push = await run('push')
  assert.equal(push.code, 0, push.err)
  assert.equal((await run('diff')).out, 'Nothing to do.\n')
})

/** Pushes the one, the other, and the one again, each in one go. */
async function pushInTurn(...databases: string[]) {
  const run = await inNewProject()
  for (const one of [...databases, ...databases.slice(0, 1)]) {
    writeFileSync(file, `export default { databases: { ${one} } }\n`)
    const push = await run('schema', 'push', '--allow-destructive')
    assert.equal(push.code, 0, push.err)
    assert.equal((await run('schema', 'diff')).out, 'Nothing to do.\n')
  }
}

const relation = (to: string, reverseKey: string) =>
  `{ type: 'RELATION', to: '${to}', reverseKey: '${reverseKey}', onDelete: 'CASCADE' }`

test('a collection that moves to another database leaves its names, also where others point at it', async () => {
  const rules = "rules: [{ right: 'read', role: 'users', where: { note: { eq: '$userId' } } }]"
  const about = `attributes: { about: ${relation('main.posts', 'notes')} }`
  const posts = (more: string) =>
    `posts: { ${more === '' ? '' : `${rules}, `}attributes: { title: { type: 'TEXT' }${more} } }`
  await pushInTurn(
    `main: { collections: { ${posts(`, note: ${relation('notes', 'posts')}`)}, notes: { ${about} } } }, other: { collections: {} }`,
    `main: { collections: { ${posts('')} } }, other: { collections: { notes: { ${about} } } }`,
  )
})

test('a relation may take, at its other end, the name of an attribute or of the other end of another', async () => {
  const main = (collections: string) => `main: { collections: { ${collections} } }`
  await pushInTurn(
    main("posts: { attributes: { comments: { type: 'JSON' } } }"),
    main(`posts: { attributes: {} }, comments: { attributes: { post: ${relation('posts', 'comments')} } }`),
  )
  const books = (attributes: string) => main(`people: { attributes: {} }, books: { attributes: { ${attributes} } }`)
  await pushInTurn(
    books(`author: ${relation('people', 'books')}, owner: ${relation('people', 'owned')}`),
    books(
      `author: ${relation('people', 'written')}, owner: ${relation('people', 'books')}, reader: ${relation('people', 'owned')}`,
    ),
  )
  const oneWay = "{ type: 'RELATION', to: 'main.people', onDelete: 'CASCADE' }"
  await pushInTurn(
    books(`author: ${oneWay}, owner: ${relation('people', 'books')}`),
    books(`author: ${relation('people', 'books')}, owner: ${oneWay}`),
  )
  await pushInTurn(
    books(`author: ${relation('people', 'books')}, owner: ${relation('people', 'owned')}`),
    books(`author: ${relation('people', 'owned')}, owner: ${relation('people', 'books')}`),
  )
})

test('an attribute is renamed to what a relation was called at its other end until now', async () => {
  const run = await inNewProject()
  const one = (key: string, attributes: string, from = '') =>
    `${key}: { ${from === '' ? '' : `renamedFrom: '${from}', `}attributes: { ${attributes} } }`
  const text = (key: string, from = '') => `${key}: { type: 'TEXT'${from === '' ? '' : `, renamedFrom: '${from}'`} }`
  const comments = (to: string, reverseKey: string) => one('comments', `post: ${relation(to, reverseKey)}`)
  for (const collections of [
    [one('posts', text('text')), comments('posts', 'notes')],
    [one('posts', text('notes', 'text')), comments('posts', 'text')],
    [one('entries', text('text', 'notes'), 'posts'), comments('entries', 'notes')],
    [one('entries', text('notes', 'text'))],
  ]) {
    write(collections.join(', '))
    const push = await run('schema', 'push', '--allow-destructive')
    assert.equal(push.code, 0, push.err)
    assert.equal((await run('schema', 'diff')).out, 'Nothing to do.\n')
  }
})

test('what is renamed in a circle, or twice, is refused by its names', async () => {
  const run = await inNewProject()
  const text = "type: 'STRING', size: 20"
  const refused = async (collections: string, message: RegExp) => {
    write(collections)
    const { code, err } = await run('schema', 'push')
    assert.equal(code, 1, err)
    assert.match(err, message)
  }
  write(`posts: { attributes: { a: { ${text} }, b: { ${text} } } }`)
  assert.equal((await run('schema', 'push')).code, 0)
  const swapped = `a: { ${text}, renamedFrom: 'b' }, b: { ${text}, renamedFrom: 'a' }`
  await refused(`posts: { attributes: { ${swapped} } }`, /main\.posts: b → a → b are renamed in a circle/)
  await refused(`notes: { renamedFrom: 'posts', attributes: { ${swapped} } }`, /main\.notes: b → a → b are renamed/)
  await refused(
    `posts: { attributes: { c: { ${text}, renamedFrom: 'a' }, d: { ${text}, renamedFrom: 'a' } } }`,
    /main\.posts: c and d are both renamed from a\./,
  )
  await refused(
    "a: { renamedFrom: 'b', attributes: {} }, b: { renamedFrom: 'c', attributes: {} }, c: { renamedFrom: 'a', attributes: {} }",
    /main: b → a → c → b are renamed in a circle/,
  )
  write(`posts: { attributes: { b: { ${text}, renamedFrom: 'a' }, c: { ${text}, renamedFrom: 'b' } } }`)
  assert.equal((await run('schema', 'push')).code, 0)
  write(`posts: { attributes: { b: { ${text} }, a: { ${text}, renamedFrom: 'c' } } }`)
  assert.equal((await run('schema', 'diff')).out, '~ attribute main.posts.c → a\n')
})

test('a key that the server would refuse is told before anything is asked', async () => {
  const run = await inNewProject()
  write("posts: { attributes: { constructor: { type: 'TEXT' } } }")
  const { code, err } = await run('schema', 'diff')
  assert.equal(code, 1)
  assert.match(err, /posts\.attributes\.constructor: This is reserved: choose another key\./)
})

test('what a file names and does not have is told before anything is taken away', async () => {
  const run = await inNewProject()
  const notes = (rest: string) => write(`notes: { attributes: { title: { type: 'STRING', size: 20 } }, ${rest} }`)
  notes("indexes: { words: { type: 'FULLTEXT', attributes: ['title'] } }")
  assert.equal((await run('schema', 'push')).code, 0)
  const refused = async (message: RegExp) => {
    for (const command of ['diff', 'push']) {
      const { code, err } = await run('schema', command)
      assert.equal(code, 1, err)
      assert.match(err, message)
      assert.doesNotMatch(err, /steps are done/)
    }
  }
  notes("indexes: { words: { type: 'FULLTEXT', attributes: ['tilte'] } }")
  await refused(/main\.notes: the index words names “tilte”, which is no attribute of the collection\./)
  notes("rules: [{ right: 'read', role: 'users', where: { not: { writer: { eq: '$userId' } } } }]")
  await refused(/main\.notes: a rule names “writer”/)
  write(
    "notes: { attributes: { title: { type: 'TEXT' }, slug: { type: 'TEXT', computed: \"concat(lower(tilte), 'x')\" } } }",
  )
  await refused(/main\.notes: the computed attribute slug names “tilte”/)
  const twice = ['a', 'b'].map((key) => `${key}: { collections: { pages: { attributes: {} } } }`)
  writeFileSync(file, `export default { databases: { ${twice} } }\n`)
  await refused(/a\.pages and b\.pages would have one type: give one another `typeName`\./)
})
