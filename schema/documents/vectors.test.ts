import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createIndex } from '../../src/modules/indexes/indexes.ts'
import { operate } from '../../src/testing/operation.ts'
import { createTables, type Tables } from '../../src/testing/tables.ts'
import { lacksVectors } from '../../src/testing/vectors.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

const skip = await lacksVectors()

describe('vectors', { skip }, () => {
  let world: World
  let tables: Tables
  let schemas: Schemas
  let spots: string

  const run = (source: string, variables = {}) => operate(schemas, tables.ctx, source, variables)
  const found = async (args: string) => {
    const { data, errors } = await run(`{ spots(${args}) { nodes { id } } }`)
    assert.deepEqual(errors, [], args)
    return data?.spots.nodes.map(({ id }: { id: string }) => id).join('')
  }

  before(async () => {
    world = await createWorld()
    tables = await createTables(world)
    const attributes = [{ key: 'at', type: 'VECTOR', dimensions: 2 }] as const
    spots = await tables.make({ key: 'spots', attributes })
    schemas = createSchemas(world.app)
    const inputs = Object.entries({ a: [0, 1], b: [3, 4], c: [-1, 0.5], d: null }).map(([id, at]) => ({ id, at }))
    const made = await run('mutation ($inputs: [CreateSpotInput!]!) { createSpots(inputs: $inputs) { id at } }', {
      inputs,
    })
    assert.deepEqual(made, { data: { createSpots: inputs }, errors: [] })
  })
  after(async () => {
    await schemas?.close()
    await world?.close()
  })

  test('are of as many numbers as their attribute says', async () => {
    for (const at of ['[1]', '[1, 2, 3]']) {
      const { errors } = await run(`mutation { updateSpot(input: { id: "a", at: ${at} }) { id } }`)
      assert.match(errors[0] ?? '', /^INVALID .*\(input\.at/, at)
    }
    for (const asked of ['where: { at: { distance: { from: [1], lt: 1 } } }', 'orderBy: [{ at: { near: [1] } }]']) {
      const { errors } = await run(`{ spots(${asked}) { nodes { id } } }`)
      assert.match(errors[0] ?? '', /^INVALID This has 2 numbers\. \(.*(near|from)\)$/, asked)
    }
  })

  test('are found by how far they are from another one', async () => {
    assert.equal(await found('where: { at: { distance: { from: [0, 1], lt: 1.5 } } }'), 'ac')
    assert.equal(await found('where: { at: { distance: { from: [0, 1], measure: COSINE, lt: 0.25 } } }'), 'ab')
    assert.equal(await found('where: { at: { distance: { from: [0, 1], measure: DOT, lte: -1 } } }'), 'ab')
    assert.equal(await found('where: { at: { isNull: true } }'), 'd')
  })

  test('are ordered by it, what has none last, page by page', async () => {
    assert.equal(await found('orderBy: [{ at: { near: [0, 1] } }]'), 'acbd')
    assert.equal(await found('orderBy: [{ at: { near: [0, 1], measure: COSINE } }]'), 'abcd')
    assert.equal(await found('orderBy: [{ at: { near: [0, 1], measure: DOT } }]'), 'bacd')
    const order = 'orderBy: [{ at: { near: [0, 1] } }], first: 2'
    const { data } = await run(`{ spots(${order}) { nodes { id } pageInfo { endCursor } } }`)
    assert.equal(await found(`${order}, after: "${data?.spots.pageInfo.endCursor}"`), 'bd')
  })

  test('have an index for each measure, which an order uses', async () => {
    for (const [distance, sign] of [
      ['EUCLIDEAN', '<->'],
      ['COSINE', '<=>'],
      ['DOT', '<#>'],
    ] as const) {
      const input = { collectionId: spots, key: `by${distance}`, type: 'VECTOR' as const, attributes: ['at'], distance }
      const { id } = await createIndex(tables.ctx, input)
      await tables.applyAll()
      const made = await world.app.db.index.findUniqueOrThrow({ where: { id } })
      assert.deepEqual([made.status, made.statusReason], ['AVAILABLE', null])
      const client = await world.app.sql.connect()
      await client.query('set enable_seqscan = off')
      const text = `explain select 1 from ${tables.tableOf(spots)} order by at ${sign} '[0,1]' limit 1`
      const { rows } = await client.query<Record<string, string>>(text)
      client.release(true)
      assert.match(JSON.stringify(rows), new RegExp(id), distance)
    }
    assert.equal(await found('orderBy: [{ at: { near: [0, 1] } }]'), 'acbd')
  })
})
