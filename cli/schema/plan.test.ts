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
