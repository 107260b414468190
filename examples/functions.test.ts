import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { buildClientSchema, buildSchema, findBreakingChanges, getIntrospectionQuery } from 'graphql'
import { createStage, type Stage } from '../cli/fixture.ts'
import { startExecutor, type TestExecutor } from '../functions-runtime/testing/executor.ts'
import { startDocker, type TestDocker, whyNoDocker } from '../src/testing/docker/engine.ts'
import { eventually } from '../src/testing/receiver.ts'

const folder = `${import.meta.dirname}/functions`

/** What the functions ask: whatever it is told is German, and has words. */
const reading = createServer(async (req, res) => {
  let text = ''
  for await (const chunk of req) text += chunk
  res.setHeader('content-type', 'application/json')
  res.end(JSON.stringify({ language: 'de', words: text.split(' ').length }))
})

const noDocker = whyNoDocker()
let docker: TestDocker | null = null
let executor: TestExecutor
let stage: Stage
before(async () => {
  await once(reading.listen(0, '127.0.0.1'), 'listening')
  const port = await freePort()
  docker = noDocker ? null : await startDocker(['python-3.11'])
  executor = await startExecutor({
    EGRESS_ALLOW: '127.0.0.1/32',
    TENDRIL_URL: `http://127.0.0.1:${port}`,
    ...(docker && { DOCKER_HOST: docker.url, DOCKER_RUNTIMES: 'python-3.11' }),
  })
  stage = await createStage({ EXECUTORS: executor.url, EXECUTOR_SECRET: executor.secret, PORT: String(port) })
  await makePosts()
})
after(async () => {
  reading.close()
  await stage.close()
  await executor.stop()
  await docker?.stop()
})

/** The executor has to know where the API is, before it is there. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function makePosts(): Promise<void> {
  const { createDatabase } = await stage.request('mutation { createDatabase(input: { key: "main" }) { id } }')
  const attributes = [
    { key: 'body', type: 'STRING', size: 10_000, required: true },
    { key: 'language', type: 'STRING', size: 8 },
    { key: 'words', type: 'INTEGER' },
  ]
  const input = { databaseId: (createDatabase as { id: string }).id, key: 'posts', permissions: [], attributes }
  await stage.request('mutation ($input: CreateCollectionInput!) { createCollection(input: $input) { id } }', { input })
  await eventually(async () => {
    const { collections } = await stage.request('{ collections { nodes { status } } }')
    assert.deepEqual(collections, { nodes: [{ status: 'AVAILABLE' }] })
  })
}

async function deploy(name: string): Promise<string> {
  const { code, err } = await stage.tendril('functions', 'push', folder, '--only', name)
  assert.equal(code, 0, err)
  const { functions } = (await stage.request('{ functions { nodes { id name } } }')) as {
    functions: { nodes: { id: string; name: string }[] }
  }
  const id = functions.nodes.find((one) => one.name === name)?.id ?? assert.fail()
  const { port } = reading.address() as AddressInfo
  const input = { functionId: id, key: 'READING_URL', value: `http://127.0.0.1:${port}` }
  await stage.request('mutation ($input: SetVariableInput!) { setVariable(input: $input) { id } }', { input })
  return id
}

async function enrichesPosts(functionId: string): Promise<void> {
  const waitMs = 30_000
  const { createPost } = await stage.request('mutation { createPost(input: { body: "eins zwei drei" }) { id words } }')
  const { id, words } = createPost as { id: string; words: number | null }
  assert.equal(words, null)
  await eventually(async () => {
    const { post } = await stage.request('query ($id: ID!) { post(id: $id) { language words } }', { id })
    assert.deepEqual(post, { language: 'de', words: 3 })
  }, waitMs)
  await eventually(async () => {
    const { executions } = await stage.request(
      'query ($id: ID!) { executions(where: { functionId: $id }) { nodes { status trigger logs { text } } } }',
      { id: functionId },
    )
    const logs = [{ text: `${id} has 3 words` }]
    assert.deepEqual(executions, { nodes: [{ status: 'COMPLETED', trigger: 'EVENT', logs }] })
  })
}

test('what the examples know of the project’s API is so', async () => {
  const known = buildSchema(readFileSync(`${folder}.graphql`, 'utf8'))
  await eventually(async () => {
    const { __schema } = await stage.request(getIntrospectionQuery())
    assert.deepEqual(findBreakingChanges(known, buildClientSchema({ __schema } as never)), [])
  })
})

/** Alone: every one of them is run for every new post. */
async function alone(name: string): Promise<void> {
  const id = await deploy(name)
  await enrichesPosts(id)
  await stage.request('mutation ($id: ID!) { deleteFunction(id: $id) }', { id })
}

test('TypeScript: a new post is read by another service, and what it says is written beside it', () => alone('enrich'))

test('Python: the same', { skip: noDocker ?? false }, async () => {
  await eventually(async () => {
    const { runtimes } = await stage.request('{ runtimes { name isAvailable } }')
    const python = (runtimes as { name: string }[]).find(({ name }) => name === 'python-3.11')
    assert.deepEqual(python, { name: 'python-3.11', isAvailable: true })
  }, 30_000)
  await alone('enrich-python')
})
