import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameClash, reserveNames, typeNameOf, typeNamesOf } from './names.ts'

test('a collection names its types and fields', () => {
  assert.equal(typeNameOf('blogEntries'), 'BlogEntry')
  const { one, many } = typeNamesOf('BlogEntry', 'blogEntries')
  assert.deepEqual([one, many], ['blogEntry', 'blogEntries'])
})

test('a type name that was given names the fields too', () => {
  const { one, many } = typeNamesOf('Article', 'posts')
  assert.deepEqual([one, many], ['article', 'articles'])
})

test('a word without a plural gets two names nevertheless', () => {
  for (const key of ['news', 'sheep', 'series', 'constructor', 'a']) {
    const { one, many } = typeNamesOf(typeNameOf(key), key)
    assert.notEqual(one, many, key)
  }
})

test('names clash with each other and with those of the API', () => {
  const posts = { typeName: 'Post', key: 'posts' }
  assert.equal(nameClash(posts, []), null)
  assert.equal(nameClash(posts, [{ typeName: 'Post', key: 'entries' }]), 'Post')
  assert.equal(nameClash({ typeName: 'PostWhere', key: 'filters' }, [posts]), 'PostWhere')
  assert.equal(nameClash({ typeName: 'Posts', key: 'lists' }, [posts]), 'Query.posts')
  assert.equal(nameClash({ typeName: 'Query', key: 'queries' }, []), 'Query')
  reserveNames(['Query.widget'])
  assert.equal(nameClash({ typeName: 'Widget', key: 'widgets' }, []), 'Query.widget')
})
