import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { addUsage } from '../src/modules/usage/write.ts'
import { operate } from '../src/testing/operation.ts'
import { createStage } from '../src/testing/stage.ts'

const { world, schemas } = await createStage()

const usage =
  '{ usage(range: H24, metrics: [REQUESTS, DOCUMENTS_CREATED]) { range series { metric total points { value } } } }'

test('a project’s usage is read by its members and by keys with the scope, and each sees their own', async () => {
  const [mine, theirs] = [await world.createProject(), await world.createProject()]
  const { projectId } = mine
  await addUsage(world.app.sql, [{ projectId, metric: 'requests', value: 3_000_000_000 }], new Date())
  const key = world.context(projectId, { kind: 'key', id: 'key_1', scopes: new Set(['usage.read']) })
  for (const ctx of [mine.owner, key]) {
    const { data, errors } = await operate(schemas, ctx, usage)
    assert.deepEqual(errors, [])
    const [requests, created] = data?.usage.series ?? []
    assert.deepEqual([data?.usage.range, requests.metric, requests.total], ['H24', 'REQUESTS', 3_000_000_000])
    assert.deepEqual([requests.points.length, requests.points.at(-1)], [24, { value: 3_000_000_000 }])
    assert.equal(created.total, 0)
  }
  const other = await operate(schemas, theirs.owner, usage)
  assert.equal(other.data?.usage.series[0].total, 0)
  const all = await operate(schemas, mine.owner, '{ usage { series { metric } } }')
  assert.ok(all.data?.usage.series.length > 50)
})

test('the console shows it beside each project of one’s own', async () => {
  const { projectId, ownerAtConsole } = await world.createProject()
  await addUsage(world.app.sql, [{ projectId, metric: 'requests', value: 7 }], new Date())
  const source = '{ projects { nodes { id usage(range: D7, metrics: [REQUESTS]) { series { total } } } } }'
  const { data } = await operate(schemas, ownerAtConsole, source)
  assert.deepEqual(data?.projects.nodes, [{ id: projectId, usage: { series: [{ total: 7 }] } }])
})

test('what the guide asks is answered', async () => {
  const guide = readFileSync(new URL('../docs/guides/usage.md', import.meta.url), 'utf8')
  const [inProject = '', atConsole = '', ...others] = [...guide.matchAll(/```graphql\n([\s\S]*?)```/g)].map(
    ([, text]) => text,
  )
  assert.deepEqual(others, [])
  const { owner, ownerAtConsole } = await world.createProject()
  const project = await operate(schemas, owner, inProject)
  assert.deepEqual([project.errors, project.data?.usage.series.length], [[], 4])
  const all = await operate(schemas, ownerAtConsole, atConsole)
  assert.deepEqual([all.errors, all.data?.projects.nodes[0].usage.series.length], [[], 2])
})

test('end users, guests and keys without the scope see no trace of it', async () => {
  const { projectId } = await world.createProject()
  for (const actor of [null, { kind: 'key', id: 'key_1', scopes: new Set(['users.read']) } as const]) {
    const ctx = world.context(projectId, actor)
    const { data } = await operate(schemas, ctx, '{ __schema { types { name } } }')
    assert.ok(!JSON.stringify(data).includes('Usage'))
    assert.ok((await operate(schemas, ctx, usage)).errors.length > 0)
  }
})
