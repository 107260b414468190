import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { createSchemas, type Schemas } from '../../../schema/schemas.ts'
import { createPeer } from '../../testing/executor.ts'
import { deploy } from '../../testing/functions.ts'
import { operate } from '../../testing/operation.ts'
import { createWorld, type World } from '../../testing/world.ts'

const guide = readFileSync(new URL('../../../docs/guides/functions.md', import.meta.url), 'utf8')
const blocks = [...guide.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, text = '']) => text)

let world: World
let schemas: Schemas
let peer: Awaited<ReturnType<typeof createPeer>>

before(async () => {
  peer = await createPeer((run) => ({ body: Object.keys(run.variables).join(' ') }))
  world = await createWorld({ EXECUTORS: peer.url, EXECUTOR_SECRET: peer.secret })
  schemas = createSchemas(world.app)
})
after(async () => {
  await schemas.close()
  await world.close()
  peer.close()
})

test('the guide: a function is made, given a variable and run, and what was run is listed', async () => {
  const { owner } = await world.createProject()
  const [create = '', set = '', run = '', later = '', list = ''] = blocks
  assert.equal(blocks.length, 5)
  const made = await operate(schemas, owner, create)
  assert.deepEqual(made.errors, [])
  const functionId = made.data?.createFunction.id
  await deploy(owner, functionId, 'x')
  const given = { functionId }
  assert.deepEqual((await operate(schemas, owner, set, given)).errors, [])
  const { data, errors } = await operate(schemas, owner, run, given)
  assert.deepEqual(errors, [])
  const variables = data?.createExecution.responseBody.split(' ').filter((name: string) => name.startsWith('TENDRIL_'))
  assert.deepEqual(
    variables,
    [...guide.matchAll(/`(TENDRIL_\w+)`/g)].map(([, name]) => name),
  )
  const headers = Object.keys(peer.runs.at(-1)?.request.headers ?? {})
  assert.deepEqual(headers, ['content-type', 'tendril-trigger', 'tendril-execution-id'])
  assert.equal((await operate(schemas, owner, later, given)).data?.createExecution.status, 'PENDING')
  assert.deepEqual((await operate(schemas, owner, list, given)).data, { executions: { totalCount: 0, nodes: [] } })
})
