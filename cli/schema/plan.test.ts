import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planSteps, reverseRenames } from './plan.ts'
import type { CollectionShape, SchemaShape, Shape } from './shape.ts'
import { describeStep } from './steps.ts'

const collection = (attributes: Record<string, Shape>, more: Partial<CollectionShape> = {}): CollectionShape => ({
  settings: {},
  attributes,
  indexes: {},
  ...more,
})
const schema = (collections: Record<string, CollectionShape>): SchemaShape => ({ databases: { main: {} }, collections })
const lines = (from: SchemaShape, to: SchemaShape, renames = {}) => planSteps(from, to, renames).map(describeStep)

const text = { type: 'STRING', size: 10 }
const relation = (to: string) => ({ type: 'RELATION', to, onDelete: 'CASCADE' })

test('collections that point at each other are made, and unmade, in an order that works', () => {
  const both = schema({
    'main.a': collection({ b: relation('b'), name: text }),
    'main.b': collection({ a: relation('a') }),
  })
  assert.deepEqual(lines(schema({}), both), [
    '+ collection main.a (name)',
    '+ collection main.b',
    '+ attribute main.a.b: RELATION, to "b", onDelete "CASCADE"',
    '+ attribute main.b.a: RELATION, to "a", onDelete "CASCADE"',
  ])
  assert.deepEqual(lines(both, schema({})), ['- attribute main.b.a', '- collection main.a', '- collection main.b'])
})

test('a rename keeps what it names, and the way back renames it back', () => {
  const from = schema({
    'main.posts': collection(
      { title: text, author: relation('people') },
      { indexes: { byTitle: { type: 'KEY', attributes: ['title'] } } },
    ),
    'main.people': collection({ name: text }),
  })
  const to = schema({
    'main.articles': collection(
      { headline: { ...text, size: 20 }, author: relation('authors') },
      { settings: { name: 'posts' }, indexes: { byTitle: { type: 'KEY', attributes: ['headline'] } } },
    ),
    'main.authors': collection({ name: text }),
  })
  const renames = {
    'main.posts': 'main.articles',
    'main.people': 'main.authors',
    'main.posts.title': 'main.articles.headline',
  }
  const up = planSteps(from, to, renames)
  assert.deepEqual(up.map(describeStep), [
    '~ collection main.posts → main.articles',
    '~ collection main.people → main.authors',
    '~ attribute main.articles.title → headline',
    '~ attribute main.articles.headline: size 20',
    '~ collection main.authors: name null',
  ])
  const down = planSteps(to, from, reverseRenames(up))
  assert.deepEqual(down.map(describeStep), [
    '~ collection main.articles → main.posts',
    '~ collection main.authors → main.people',
    '~ attribute main.posts.headline → title',
    '~ attribute main.posts.title: size 10',
    '~ collection main.posts: name null',
    '~ collection main.people: name null',
  ])
})

test('an attribute takes the name of one that has another now', () => {
  const attributes = (...keys: string[]) =>
    schema({ 'main.a': collection(Object.fromEntries(keys.map((key) => [key, text]))) })
  const [from, to] = [attributes('first', 'second'), attributes('second', 'third')]
  const renames = { 'main.a.first': 'main.a.second', 'main.a.second': 'main.a.third' }
  const up = planSteps(from, to, renames)
  assert.deepEqual(up.map(describeStep), ['~ attribute main.a.second → third', '~ attribute main.a.first → second'])
  assert.deepEqual(lines(to, from, reverseRenames(up)), [
    '~ attribute main.a.second → first',
    '~ attribute main.a.third → second',
  ])
  assert.deepEqual(lines(to, to, renames), [])
  assert.deepEqual(lines(attributes('first', 'third'), to, renames), ['~ attribute main.a.first → second'])
})

test('a collection takes the name of one that has another now, and what points at them follows', () => {
  const of = (path: string) => schema({ [path]: collection({ name: text }) })
  const pointing = (to: string) => ({ 'main.z': collection({ at: relation(to) }) })
  const both = (first: string, second: string) =>
    schema({
      [`main.${first}`]: collection({ name: text }, { settings: { name: 'a' } }),
      [`main.${second}`]: collection({ title: text }, { settings: { name: 'b' } }),
      ...pointing(second),
    })
  const [from, to] = [both('a', 'b'), both('b', 'c')]
  const renames = { 'main.a': 'main.b', 'main.b': 'main.c' }
  const up = planSteps(from, to, renames)
  assert.deepEqual(up.map(describeStep), ['~ collection main.b → main.c', '~ collection main.a → main.b'])
  assert.deepEqual(lines(to, from, reverseRenames(up)), [
    '~ collection main.b → main.a',
    '~ collection main.c → main.b',
  ])
  assert.deepEqual(lines(to, to, renames), [])
  assert.deepEqual(lines(of('main.a'), of('main.b'), renames), [
    '~ collection main.a → main.b',
    '~ collection main.b: name null',
  ])
})

test('an attribute is renamed, too, whose collection was renamed before', () => {
  const [from, to] = ['title', 'headline'].map((key) => schema({ 'main.articles': collection({ [key]: text }) }))
  const renames = { 'main.posts': 'main.articles', 'main.posts.title': 'main.articles.headline' }
  assert.deepEqual(lines(from as SchemaShape, to as SchemaShape, renames), [
    '~ attribute main.articles.title → headline',
  ])
})

test('a rename that was made already counts for nothing', () => {
  const now = schema({ 'main.posts': collection({ headline: text }) })
  assert.deepEqual(lines(now, now, { 'main.posts.title': 'main.posts.headline', 'main.old': 'main.posts' }), [])
})

test('what cannot be changed is made anew, with the indexes on it', () => {
  const indexes = { byOwner: { type: 'KEY', attributes: ['owner'] }, byName: { type: 'KEY', attributes: ['name'] } }
  const from = schema({ 'main.a': collection({ owner: text, name: text }, { indexes }) })
  const to = schema({ 'main.a': collection({ owner: relation('a'), name: text }, { indexes }) })
  assert.deepEqual(lines(from, to), [
    '- index main.a.byOwner',
    '- attribute main.a.owner',
    '+ attribute main.a.owner: RELATION, to "a", onDelete "CASCADE"',
    '+ index main.a.byOwner: KEY, attributes ["owner"]',
  ])
})

test('what is left out is set back to what it is by itself', () => {
  const from = schema({
    'main.a': collection(
      { name: { ...text, required: true, pattern: '^a', list: true } },
      {
        settings: {
          typeName: 'Thing',
          documentPermissions: false,
          permissions: ['read:any'],
          rules: [{ right: 'read' }],
        },
      },
    ),
  })
  assert.deepEqual(planSteps(from, schema({ 'main.a': collection({ name: text }) })), [
    {
      do: 'updateAttribute',
      collection: 'main.a',
      attribute: 'name',
      set: { required: false, pattern: null, list: false },
    },
    { do: 'updateCollection', collection: 'main.a', set: { documentPermissions: true, permissions: null, rules: [] } },
  ])
})

test('a database takes the name that the file gives it, its key where that gives none, and has its own again on the way back', () => {
  const named = (name?: string): SchemaShape => ({ databases: { main: name ? { name } : {} }, collections: {} })
  assert.deepEqual(planSteps(named('Main'), named('Blog')), [{ do: 'updateDatabase', database: 'main', name: 'Blog' }])
  assert.deepEqual(lines(named('Main'), named()), ['~ database main: name "main"'])
  assert.deepEqual(lines(named(), named('Main')), ['~ database main: name "Main"'])
  assert.deepEqual(lines(named('main'), named()), [])
})

test('what is computed goes before what it is computed of, and is made once that is as it is to be', () => {
  const slug = (computed: string) => ({ type: 'STRING', size: 20, computed })
  const from = schema({
    'main.a': collection({
      name: text,
      views: { type: 'INTEGER' },
      old: text,
      slug: slug('lower(name)'),
      was: slug('lower(old)'),
    }),
  })
  const to = schema({
    'main.a': collection({
      name: { type: 'TEXT' },
      views: { type: 'BIGINT' },
      slug: slug('lower(name)'),
      next: slug("concat(views, '')"),
    }),
  })
  assert.deepEqual(lines(from, to), [
    '- attribute main.a.slug',
    '- attribute main.a.was',
    '~ attribute main.a.name: TEXT, size null',
    '~ attribute main.a.views: BIGINT',
    '+ attribute main.a.slug: STRING, size 20, computed "lower(name)"',
    `+ attribute main.a.next: STRING, size 20, computed "concat(views, '')"`,
    '- attribute main.a.old',
  ])
})

test('what is computed has permissions before what it is computed of has them, and for as long', () => {
  const permissions = ['read:label:staff']
  const open = schema({ 'main.a': collection({ name: text, slug: { ...text, computed: 'name' } }) })
  const kept = schema({
    'main.a': collection({ name: { ...text, permissions }, slug: { ...text, computed: 'name', permissions } }),
  })
  assert.deepEqual(lines(open, kept), [
    '~ attribute main.a.slug: permissions ["read:label:staff"]',
    '~ attribute main.a.name: permissions ["read:label:staff"]',
  ])
  assert.deepEqual(lines(kept, open), [
    '~ attribute main.a.name: permissions null',
    '~ attribute main.a.slug: permissions null',
  ])
})

test('a rule rests while the attribute that it looks at becomes another', () => {
  const rules = (where: object) => ({ settings: { rules: [{ right: 'read', role: 'users', where }] } })
  const from = schema({ 'main.a': collection({ views: { type: 'INTEGER' } }, rules({ not: { views: { eq: 1 } } })) })
  const to = schema({ 'main.a': collection({ views: text }, rules({ views: { eq: 'one' } })) })
  assert.deepEqual(lines(from, to), [
    '~ collection main.a: rules []',
    '~ attribute main.a.views: STRING, size 10',
    '~ collection main.a: rules [{"right":"read","role":"users","where":{"views":{"eq":"one"}}}]',
  ])
})

test('a rename is followed by expressions and rules', () => {
  const named = (key: string) =>
    collection(
      { [key]: text, slug: { ...text, computed: `if(isNull(${key}), 'name', lower (${key}))` } },
      { settings: { rules: [{ right: 'read', role: 'users', where: { and: [{ [key]: { eq: 'name' } }] } }] } },
    )
  const renames = { 'main.a.name': 'main.a.title' }
  assert.deepEqual(lines(schema({ 'main.a': named('name') }), schema({ 'main.a': named('title') }), renames), [
    '~ attribute main.a.name → title',
  ])
})

test('the way back from a relation is free for the next one', () => {
  const author = { ...relation('b'), reverseKey: 'posts' }
  const from = schema({ 'main.a': collection({ author }), 'main.b': collection({}) })
  const to = schema({ 'main.a': collection({ writer: author }), 'main.b': collection({}) })
  assert.deepEqual(lines(from, to), [
    '- attribute main.a.author',
    '+ attribute main.a.writer: RELATION, to "b", onDelete "CASCADE", reverseKey "posts"',
  ])
})

test('collections go before those that they point at, and in a circle without what uses the relation', () => {
  const line = schema({ 'main.a': collection({}), 'main.b': collection({ a: relation('a') }) })
  assert.deepEqual(lines(line, schema({})), ['- collection main.b', '- collection main.a'])
  const rules = [{ right: 'read', role: 'users', where: { a: { eq: '$userId' } } }]
  const indexes = { byA: { type: 'KEY', attributes: ['a'] } }
  const circle = schema({
    'main.a': collection({ b: relation('b') }),
    'main.b': collection({ a: relation('a') }, { settings: { rules }, indexes }),
  })
  assert.deepEqual(lines(circle, schema({})), [
    '- index main.b.byA',
    '~ collection main.b: rules []',
    '- attribute main.b.a',
    '- collection main.a',
    '- collection main.b',
  ])
})
