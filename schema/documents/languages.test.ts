import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importRows } from '../../src/documents/import.ts'
import { loadModel } from '../../src/documents/load.ts'
import { isRaw } from '../../src/http/stream.ts'
import { createGraphql } from '../../src/server.ts'
import { openDocuments } from '../../src/testing/documents.ts'
import { languages, speaking } from '../../src/testing/foreign-postgres.ts'

const server = process.env.DATABASE_URL ?? ''

const toAuthors = (reverseKey: string, onDelete: 'CASCADE' | 'RESTRICT') =>
  ({ type: 'RELATION', to: 'authors', reverseKey, onDelete }) as const
const collections = {
  authors: { attributes: { name: { type: 'STRING', unique: true } } },
  posts: { attributes: { author: toAuthors('posts', 'RESTRICT') } },
  pages: {
    attributes: {
      author: toAuthors('pages', 'CASCADE'),
      next: { type: 'RELATION', to: 'pages', reverseKey: 'earlier', onDelete: 'RESTRICT' },
    },
  },
} as const

const pointedAt = (by: string, at = 'id') => `CONFLICT Documents of \`${by}\` point at this one. (${at})`
const unrelated = (at: string) => `INVALID There is no such document. (${at})`
const taken = (at: string) => `CONFLICT Another document has this name. (${at})`

const wrong: readonly [string, string][] = [
  ['deleteAuthor(id: "a")', pointedAt('posts')],
  ['deletePage(id: "p")', pointedAt('pages')],
  ['deletePages(where: { id: { eq: "p" } }) { count }', pointedAt('pages', 'where')],
  // A page goes along, and another one that stays points at it.
  ['deleteAuthor(id: "b")', pointedAt('pages')],
  ['deleteAuthors(where: { id: { eq: "b" } }) { count }', pointedAt('pages', 'where')],
  ['createPost(input: { author: "x" }) { id }', unrelated('input.author')],
  ['createPosts(inputs: [{}, { author: "x" }]) { id }', unrelated('inputs.1.author')],
  ['updatePage(input: { id: "p", next: "x" }) { id }', unrelated('input.next')],
  ['updatePages(where: {}, set: { next: "x" }) { count }', unrelated('set.next')],
  ['upsertPage(input: { id: "new", next: "x" }) { id }', unrelated('input.next')],
  ['upsertPages(inputs: [{ id: "new" }, { id: "p", next: "x" }]) { id }', unrelated('inputs.1.next')],
  ['createPage(input: { earlier: { create: [{ author: "x" }] } }) { id }', unrelated('input.earlier.create.0.author')],
  ['createAuthor(input: { name: "A" }) { id }', taken('input.name')],
  ['createAuthors(inputs: [{}, { name: "A" }]) { id }', taken('inputs.1.name')],
  ['updateAuthor(input: { id: "b", name: "A" }) { id }', taken('input.name')],
]

for (const [name, language] of Object.entries(languages)) {
  test(`a server that speaks ${name} is told from no other: both paths, in a transaction, and an import`, async (t) => {
    const foreign = await speaking(language, server)
    process.env.DATABASE_URL = foreign.url
    const { owner, done, state, world, projectId, ids, close } = await openDocuments(collections)
    const paths = [createGraphql(world.app), createGraphql(world.app, undefined, { plans: false })]
    t.after(async () => {
      for (const path of paths) await path.close()
      await close()
      foreign.close()
      process.env.DATABASE_URL = server
    })
    const made = `createAuthors(inputs: [{ id: "a", name: "A" }, { id: "b" }]) { id }
      createPost(input: { author: "a" }) { id }
      createPages(inputs: [{ id: "p", author: "b" }, { next: "p" }]) { id }`
    await done(owner, `mutation { ${made} }`)
    const earlier = await state()
    for (const { run } of paths) {
      const errorOf = async (query: string) => {
        const answer = await run({ ...owner }, { query }, ['mutation'])
        const { errors } = isRaw(answer) ? JSON.parse(answer.json) : answer
        const [{ message, extensions }] = errors
        return `${extensions.code} ${message} (${extensions.path?.join('.')})`
      }
      for (const [call, said] of wrong) {
        assert.equal(await errorOf(`mutation { ${call} }`), said)
        const other = 'other: createAuthor(input: { name: "other" }) { id }'
        assert.equal(await errorOf(`mutation @transaction { ${other} ${call} }`), said)
      }
    }

    const model = await loadModel(world.app.sql, projectId)
    const collection = model.collections.get(ids.posts ?? '')
    assert.ok(collection)
    const lines = async function* () {
      yield { row: 1, input: { author: 'a' } }
      yield { row: 2, input: { author: 'x' } }
    }
    const terms = { duplicates: 'fail', transaction: true, textual: false, token: null, done: 0 } as const
    const importing = importRows(owner, { model, collection }, lines(), { ...terms, onProgress: async () => {} })
    await assert.rejects(importing, { row: 2, message: 'There is no such document.' })
    assert.equal(await state(), earlier)
  })
}
