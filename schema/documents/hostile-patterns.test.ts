import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import type { Context } from '../../src/context.ts'
import { type Blog, createBlog } from '../../src/testing/blog.ts'
import { createCollections } from '../../src/testing/collections.ts'
import { operate } from '../../src/testing/operation.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { createSchemas, type Schemas } from '../schemas.ts'

let world: World
let schemas: Schemas
let blog: Blog
let impatient: Context
let sql: pg.Pool

/** PostgreSQL would look for longer than anybody lives. */
const endless = '(x+)(x+)(x+)(x+)\\4\\3\\2\\1[^x]'
const text = `${'x'.repeat(300)}z`

before(async () => {
  world = await createWorld()
  schemas = createSchemas(world.app)
  blog = await createBlog(world)
  await createCollections(blog.owner, {
    texts: { attributes: { text: { type: 'TEXT' }, strict: { type: 'TEXT', pattern: endless } } },
  })
  const { errors } = await operate(schemas, blog.owner, `mutation { createText(input: { text: "${text}" }) { id } }`)
  assert.deepEqual(errors, [])
  // A second stands for the 15 that a statement has.
  sql = new pg.Pool({ connectionString: world.env.DATABASE_URL, max: 4, statement_timeout: 1_000 })
  sql.on('error', () => {})
  const { replica } = blog.owner
  impatient = { ...blog.owner, sql, replica: { ...replica, read: (_reader, read) => read(sql) } }
})
after(async () => {
  await schemas.close()
  await sql.end()
  await world.close()
})

const asked: Record<string, string> = {
  'a filter': 'query ($regex: String!) { texts(where: { text: { regex: $regex } }) { nodes { id } } }',
  'a count': 'query ($regex: String!) { texts(where: { text: { regex: $regex } }) { totalCount } }',
  'a bulk change': 'mutation ($regex: String!) { deleteTexts(where: { text: { regex: $regex } }) { count } }',
  'a pattern of an attribute': `mutation { createText(input: { strict: "${text}" }) { id } }`,
}

for (const [what, source] of Object.entries(asked)) {
  test(`a regular expression without an end, in ${what}, ends with its statement and holds nobody up`, async () => {
    let ended = false
    const running = operate(schemas, impatient, source, { regex: endless }).finally(() => (ended = true))
    const other = await operate(schemas, blog.owner, '{ texts { nodes { id } } }')
    assert.deepEqual([other.errors, other.data?.texts.nodes.length, ended], [[], 1, false])
    const { errors } = await running
    assert.deepEqual(errors, ['LIMIT_EXCEEDED This takes longer than a statement may.'])
    const { data } = await operate(schemas, blog.owner, '{ texts { totalCount } }')
    assert.equal(data?.texts.totalCount, 1)
  })
}
