import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { tgz } from '../functions-runtime/build/fixture.ts'
import { startExecutor, type TestExecutor } from '../functions-runtime/testing/executor.ts'
import { createSchemas, type Schemas } from '../schema/schemas.ts'
import type { NewFunction } from '../src/modules/functions/functions.ts'
import { type Blog, createBlog } from '../src/testing/blog.ts'
import { makeFunction } from '../src/testing/functions.ts'
import { operate } from '../src/testing/operation.ts'
import { createWorld, type World } from '../src/testing/world.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const guide = read('../docs/guides/hooks.md')
const blocks = (kind: string) =>
  [...guide.matchAll(/```(\w+)\n([\s\S]*?)```/g)].flatMap(([, of, text = '']) => (of === kind ? [text] : []))

let executor: TestExecutor
let world: World
before(async () => {
  executor = await startExecutor()
  world = await createWorld({ EXECUTORS: executor.url, EXECUTOR_SECRET: executor.secret })
})
after(async () => {
  await world.close()
  await executor.stop()
})

/** A function that a real executor builds and runs. */
async function make(blog: Blog, source: string, input: Partial<NewFunction>) {
  const { artefact, error } = await world.app.sandbox.build({
    tenant: blog.projectId,
    runtime: 'javascript',
    entrypoint: 'index.js',
    command: null,
    variables: {},
    timeoutMs: 30_000,
    archive: tgz({ 'index.js': source }),
    onLine: () => {},
  })
  assert.equal(error, null)
  return makeFunction(blog.owner, String(artefact), input)
}

/** Each on a node that has just started, so that it knows of the hooks. */
async function within<T>(work: (schemas: Schemas) => Promise<T>): Promise<T> {
  const schemas = createSchemas(world.app)
  return work(schemas).finally(schemas.close)
}

const create = 'mutation ($titles: [CreatePostInput!]!) { createPosts(inputs: $titles) { title } }'
const post = (blog: Blog, ...titles: string[]) =>
  within((schemas) => operate(schemas, blog.as('usr_1'), create, { titles: titles.map((title) => ({ title })) }))

test('the example refuses a title in capitals, and takes spaces away', async () => {
  const blog = await createBlog(world)
  const hooks = [{ on: 'databases.*.collections.posts.documents.*' }]
  await make(blog, read('functions/no-shouting/index.js'), { hooks })
  assert.deepEqual(await post(blog, 'Fine', 'HELP'), {
    data: null,
    errors: ['INVALID A title is not shouted. (inputs.1.title)'],
  })
  assert.deepEqual((await post(blog, ' Help ')).data, { createPosts: [{ title: 'Help' }] })
})

test('what the guide says of hooks is so', async () => {
  const blog = await createBlog(world)
  const [program = ''] = blocks('js')
  const [setting = ''] = blocks('graphql')
  const { id } = await make(blog, program, {})
  const { data, errors } = await within((schemas) => operate(schemas, blog.owner, setting, { id }))
  assert.deepEqual(errors, [])
  const [hook] = data?.updateFunction.hooks ?? []
  for (const text of [`on: "${hook.on}"`, `deadlineMs: ${hook.deadlineMs}`, `onMissed: ${hook.onMissed}`])
    assert.ok(setting.includes(text), text)
  assert.deepEqual((await post(blog, 'First', 'SECOND')).errors, ['INVALID A title is not shouted. (inputs.1.title)'])
  assert.deepEqual((await post(blog, 'First')).errors, [])
})

test('a hook is told what the guide shows', async () => {
  const blog = await createBlog(world)
  const source = 'export default async ({ req, res, log }) => { log(await req.text()); return res.empty() }'
  const { id: functionId } = await make(blog, source, { hooks: [{ on: 'documents.before-create' }] })
  const [shown = ''] = blocks('json')
  const { inputs } = JSON.parse(shown) as { inputs: { title: string }[] }
  assert.deepEqual((await post(blog, ...inputs.map(({ title }) => title))).errors, [])
  const { logs } = await world.app.db.execution.findFirstOrThrow({ where: { functionId } })
  const [line] = logs as { text: string }[]
  const { databaseId } = await world.app.db.collection.findUniqueOrThrow({ where: { id: blog.ids.posts ?? '' } })
  const told = String(line?.text)
    .replace(blog.projectId, 'prj_1')
    .replace(blog.ids.posts ?? '', 'col_1')
    .replace(databaseId, 'db_1')
  assert.deepEqual(JSON.parse(told), JSON.parse(shown))
})
