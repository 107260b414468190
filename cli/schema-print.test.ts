import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { buildSchema, isObjectType } from 'graphql'
import { createStage, type Stage } from './fixture.ts'

let stage: Stage
before(async () => {
  stage = await createStage()
})
after(() => stage.close())

test('the API is printed as the owner of the key sees it, and the same as long as it is the same', async () => {
  const attributes = "title: { type: 'STRING', size: 20, required: true, description: 'What it is called.' }"
  const collections = `posts: { permissions: ['read:any'], attributes: { ${attributes} } }, drafts: { attributes: { ${attributes} } }`
  writeFileSync(
    join(stage.folder, 'tendril.schema.ts'),
    `export default { databases: { main: { collections: { ${collections} } } } }\n`,
  )
  assert.equal((await stage.tendril('schema', 'push')).code, 0)
  const first = await stage.tendril('schema', 'print')
  assert.equal(first.code, 0, first.err)
  const schema = buildSchema(first.out)
  const post = schema.getType('Post')
  assert.ok(isObjectType(post))
  assert.equal(String(post.getFields().title?.type), 'String!')
  assert.match(post.getFields().title?.description ?? '', /^What it is called\./)
  assert.ok(schema.getType('Draft'))
  assert.equal((await stage.tendril('schema', 'print')).out, first.out)
  const { projectId, key } = await stage.createProject(['documents.read'])
  const own = await stage.tendrilAs({ TENDRIL_PROJECT: projectId, TENDRIL_KEY: key }, 'schema', 'print')
  assert.equal(own.code, 0, own.err)
  const { Mutation, Attribute } = buildSchema(own.out).getTypeMap()
  assert.deepEqual([Mutation?.name, Attribute?.name], [undefined, undefined])
})
