import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createAttribute } from '../../src/modules/attributes/attributes.ts'
import { createTables } from '../../src/testing/tables.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { columnLimit } from './rewrite.ts'

let world: World

before(async () => {
  world = await createWorld()
})
after(() => world.close())

test('a table whose dropped columns have taken the room is written anew, with all it had', async () => {
  const { ctx, sql, tableOf, applyAll, make, addAttribute, insertDocuments } = await createTables(world)
  const relation = { type: 'RELATION', onDelete: 'RESTRICT' } as const
  const authors = await make({ key: 'authors' })
  const id = await make({
    key: 'posts',
    attributes: [
      { key: 'title', type: 'STRING', size: 10, default: 'new', pattern: '^[a-z]*$' },
      { key: 'upper', type: 'TEXT', computed: 'upper(title)' },
      { key: 'number', type: 'INTEGER', unique: true },
      { key: 'author', relatedCollectionId: authors, ...relation },
      { key: 'parent', relatedCollectionId: 'self', ...relation },
      { key: 'links', type: 'RELATION', relation: 'MANY_TO_MANY', relatedCollectionId: 'self' },
    ],
    indexes: [
      { key: 'words', type: 'FULLTEXT', attributes: ['title'], language: 'english' },
      { key: 'byTitle', type: 'KEY', attributes: ['title', 'createdAt'], orders: ['DESC', 'ASC'] },
    ],
  })
  const comments = await make({ key: 'comments', attributes: [{ key: 'post', relatedCollectionId: id, ...relation }] })
  await insertDocuments(authors, 3)
  await insertDocuments(id, 3, ', number, author, parent', `, i, 'doc' || i, 'doc1'`)
  await insertDocuments(comments, 3, ', post', `, 'doc' || i`)
  const links = tableOf((await ctx.db.attribute.findFirstOrThrow({ where: { key: 'links' } })).id)
  await sql(`insert into ${links} values ('doc1', 'doc2')`)
  for (let made = 0; made < columnLimit; made += 100) {
    const names = Array.from({ length: 100 }, (_, i) => `x${made + i}`)
    await sql(`alter table ${tableOf(id)} ${names.map((name) => `add column ${name} int`).join(', ')}`)
    await sql(`alter table ${tableOf(id)} ${names.map((name) => `drop column ${name}`).join(', ')}`)
  }
  const shapeOf = async () => {
    const constraints = await sql(
      `select conrelid::regclass::text as on, conname, convalidated, pg_get_constraintdef(oid) as text from pg_constraint
       where connamespace = '"${ctx.projectId}"'::regnamespace order by conname, 1`,
    )
    const indexes = await sql('select indexname, indexdef from pg_indexes where schemaname = $1 order by 1', [
      ctx.projectId,
    ])
    const columns = await sql(
      `select table_name, column_name, data_type, collation_name, is_nullable, column_default, generation_expression
       from information_schema.columns where table_schema = $1 order by 1, 2`,
      [ctx.projectId],
    )
    return { constraints, indexes, columns, documents: await sql(`select * from ${tableOf(id)} order by "_id"`) }
  }
  const earlier = await shapeOf()
  const countOf = async () => {
    const [row] = await sql<{ count: number }>(
      `select count(*)::int as count from pg_attribute where attrelid = '${tableOf(id)}'::regclass and attnum > 0`,
    )
    return row?.count ?? 0
  }
  assert.ok((await countOf()) > columnLimit)
  const { id: extra } = await createAttribute(ctx, { collectionId: id, key: 'extra', type: 'INTEGER' })
  await applyAll()
  assert.equal((await ctx.db.attribute.findUniqueOrThrow({ where: { id: extra } })).status, 'AVAILABLE')
  assert.equal(await countOf(), 13)
  await sql(`alter table ${tableOf(id)} drop column extra`)
  assert.deepEqual(await shapeOf(), earlier)
  await assert.rejects(sql(`delete from ${tableOf(id)} where "_id" = 'doc3'`), { code: '23503' })
  await assert.rejects(sql(`update ${tableOf(id)} set title = 'A'`), { code: '23514' })
  await sql(`alter table ${tableOf(id)} add column extra int`)
  assert.equal((await addAttribute(id, { key: 'more', type: 'INTEGER' })).status, 'AVAILABLE')
})
