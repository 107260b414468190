import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { eventually } from '../src/testing/receiver.ts'
import { createFunctionsStage } from './fixture.ts'

const guide = readFileSync(new URL('../docs/guides/functions-deploying.md', import.meta.url), 'utf8')
const blocks = [...guide.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = '']) => text)

const stage = await createFunctionsStage()

test('a function is deployed in all ways of the guide', async () => {
  assert.equal(blocks.length, 4)
  const input = { name: 'f', runtime: 'javascript' }
  const { createFunction } = await stage.request(
    'mutation ($input: CreateFunctionInput!) { createFunction(input: $input) { id } }',
    { input },
  )
  const { id } = createFunction as { id: string }
  const { code, output } = await shell(blocks.join('\n'), id)
  assert.equal(code, 0, output)
  await eventually(async () => {
    const { function: found } = await stage.request(
      'query ($id: ID!) { function(id: $id) { deployments { nodes { status isActive } } } }',
      { id },
    )
    const { nodes } = (found as { deployments: { nodes: object[] } }).deployments
    const active = [true, false, false]
    assert.deepEqual(
      nodes,
      active.map((isActive) => ({ status: 'READY', isActive })),
    )
  })
})

function shell(commands: string, functionId: string): Promise<{ code: number | null; output: string }> {
  const { PATH = '' } = process.env
  const known = { TENDRIL_URL: stage.api.url, TENDRIL_PROJECT: stage.projectId, TENDRIL_KEY: stage.key }
  const env = { PATH, FUNCTION: functionId, ...known }
  const child = spawn('sh', ['-e', '-c', commands], { cwd: stage.folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })))
}
