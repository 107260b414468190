import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startExecutor, type TestExecutor } from '../functions-runtime/testing/executor.ts'
import { createStage, type Stage } from './fixture.ts'

const guide = readFileSync(new URL('../docs/guides/command-line.md', import.meta.url), 'utf8')
const blocks = [...guide.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, kind = '', text = '']) => ({ kind, text }))

let executor: TestExecutor
let stage: Stage
before(async () => {
  executor = await startExecutor()
  stage = await createStage({ EXECUTORS: executor.url, EXECUTOR_SECRET: executor.secret })
  symlinkSync(join(import.meta.dirname, 'tendril.mjs'), join(stage.folder, 'tendril'))
})
after(async () => {
  await stage.close()
  await executor.stop()
})

/** Runs a block of commands as a shell does, up to the first that fails. */
function shell(commands: string): Promise<{ code: number | null; output: string }> {
  const env = {
    PATH: `${stage.folder}:${join(process.execPath, '..')}:${process.env.PATH}`,
    TENDRIL_URL: stage.api.url,
    TENDRIL_PROJECT: stage.projectId,
    TENDRIL_KEY: stage.key,
  }
  const child = spawn('sh', ['-e', '-c', commands], { cwd: stage.folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  child.stderr.on('data', (chunk) => (output += chunk))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })))
}

const put = (name: string, text: string) => writeFileSync(join(stage.folder, name), text)
/** A file of TypeScript, by what is in it. */
function fileOf(text: string): string {
  if (text.includes('satisfies Functions')) return 'tendril.functions.ts'
  if (!text.includes('FunctionContext')) return 'tendril.schema.ts'
  return text.includes('req') ? 'greet/index.ts' : 'greet/tidy.ts'
}
const get = (name: string) => readFileSync(join(stage.folder, name), 'utf8')

test('the guide, block by block', async () => {
  mkdirSync(join(stage.folder, 'greet'))
  const files: Record<string, string> = { jsonl: 'authors.jsonl', csv: 'posts.csv' }
  for (const { kind, text } of blocks) {
    if (kind === 'sh') {
      const { code, output } = await shell(text)
      assert.equal(code, 0, `${text}\n${output}`)
      continue
    }
    const name = files[kind] ?? fileOf(text)
    // A block that is no whole file is an attribute more in the one before.
    const whole = kind !== 'ts' || text.includes('export default')
    put(name, whole ? text : get(name).replace('attributes: {', `attributes: { ${text}`))
  }
  assert.match(get('popular.csv'), /Hello,3/)
  assert.equal(get('popular.csv').trim().split('\n').length, 2)
  const { functions } = (await stage.request(
    '{ functions { nodes { id name deployments { nodes { status } } } } }',
  )) as {
    functions: { nodes: { id: string; name: string; deployments: { nodes: object[] } }[] }
  }
  const greeting = await stage.request(
    'mutation ($id: ID!) { createExecution(input: { functionId: $id, path: "/?name=Ann" }) { responseBody } }',
    { id: functions.nodes[0]?.id },
  )
  assert.deepEqual(greeting, { createExecution: { responseBody: 'Hello, Ann!' } })
  const ready = { status: 'READY' }
  assert.deepEqual(
    functions.nodes.map(({ name, deployments }) => [name, deployments.nodes]),
    [
      ['greet', [ready, ready]],
      ['tidy', [ready]],
    ],
  )
  const { out } = await stage.tendril('export', 'posts')
  assert.match(out, /"title":"A title, with a comma"/)
})

test('every command is in the guide, and every option of import, export and functions', async () => {
  const { out } = await stage.tendril('help')
  const names = [...out.matchAll(/^ {2}((?:schema |functions |import|export)[a-z ]*?) {2}/gm)].map(
    ([, name = '']) => name,
  )
  assert.equal(names.length, 15)
  for (const name of names) assert.ok(guide.includes(`tendril ${name}`), name)
  for (const option of [
    '--transaction',
    '--resume',
    '--on-duplicate',
    '--where',
    '--out',
    '--no-activate',
    '--force',
    '--only',
    '--last',
    '--follow',
  ])
    assert.ok(guide.includes(option))
})
