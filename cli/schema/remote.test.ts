import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { buildSchema, graphql } from 'graphql'
import type { Api } from '../api.ts'
import { openRemote } from './remote.ts'

const now = readFileSync(new URL('../../schema/schema.graphql', import.meta.url), 'utf8')

/** A server that has one collection, which could not be made. */
function serverOf(sdl: string): Api {
  const schema = buildSchema(sdl)
  const page = (nodes: object[]) => ({ nodes, pageInfo: { hasNextPage: false, endCursor: null } })
  const why = { status: 'FAILED', error: 'It is broken.', statusReason: 'It is broken.' }
  const settings = {
    typeName: 'Post',
    name: 'posts',
    enabled: true,
    documentPermissions: true,
    permissions: [],
    rules: [],
  }
  const database = { id: 'db_1', key: 'main', name: 'main' }
  const parts = { attributes: page([]), indexes: page([]) }
  const collection = { id: 'col_1', key: 'posts', ...settings, ...why, ...parts, database }
  const rootValue = { databases: page([database]), collections: page([collection]) }
  const request = async <Data>(source: string, variableValues: object = {}) => {
    const { data, errors } = await graphql({ schema, source, variableValues: { ...variableValues }, rootValue })
    assert.deepEqual(errors, undefined)
    return data as Data
  }
  return { target: { url: '', project: '', key: '' }, request }
}

/** As it was called up to 0.3.0. */
const before = ['Attribute', 'Collection', 'Index'].reduce((sdl, type) => {
  const start = sdl.search(new RegExp(`^type ${type} `, 'm'))
  const end = sdl.indexOf('\n}', start)
  return (
    sdl.slice(0, start) +
    sdl.slice(start, end).replace('\n  error: String', '\n  statusReason: String') +
    sdl.slice(end)
  )
}, now)

test('what is wrong with a collection is read from servers of either name for it', async () => {
  assert.equal(before.match(/statusReason: String/g)?.length, 3)
  for (const sdl of [now, before]) {
    const collections = await (await openRemote(serverOf(sdl))).collections()
    assert.equal(collections.get('main.posts')?.error, 'It is broken.')
  }
})
