/** What `docs/guides/functions-writing.md` shows and tells, in a real isolate. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { transform } from 'esbuild'
import { type Caller, program } from '../testing/executor.ts'
import { caller } from '../testing/stage.ts'
import { names } from './guest/globals.ts'

const guide = readFileSync(new URL('../../docs/guides/functions-writing.md', import.meta.url), 'utf8')
const blocks = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text = '']) => text)

async function run(block: string | undefined, asked: Parameters<Caller['run']>[1]) {
  const { code } = await transform(block ?? assert.fail(), { loader: 'ts', format: 'iife', globalName: '__function' })
  const { end, head, text, chunks } = await caller.run(code, asked)
  assert.equal(end.failure, null)
  return { ...(head?.head ?? end.response), text, chunks: chunks.map(String), logs: end.logs.map((line) => line.text) }
}

test('each program of the guide answers as it says', async () => {
  const [contract, web, byMethod, streamed, more] = blocks
  assert.equal(more, undefined)
  const variables = { CITY: 'Oslo' }
  const got = await run(contract, { variables, request: { url: '/?name=Ann' } })
  assert.deepEqual([got.text, got.logs], ['{"hello":"Ann","from":"Oslo"}', ['greeting Ann']])
  const posted = await run(contract, { request: { method: 'POST' }, body: Buffer.from('{"color":"blue"}') })
  assert.deepEqual(
    [posted.status, posted.headers?.['x-orders'], posted.text],
    [201, '1', '{"hello":"you","color":"blue"}'],
  )
  const fetched = await run(web, { variables, request: { url: '/a/b?c=1' } })
  assert.equal(fetched.text, '{"path":"/a/b","city":"Oslo"}')
  const form = await run(byMethod, { request: { method: 'POST' }, body: Buffer.from('name=Ann') })
  assert.deepEqual([form.status, form.text], [202, 'Thank you, Ann.'])
  assert.deepEqual((await run(streamed, { isStreamed: true })).chunks, ['one ', 'two ', 'three'])
  assert.equal((await run(streamed, {})).text, 'one two three')
})

test('the guide names all that there is, and nothing else', async () => {
  const table = guide.slice(guide.indexOf('## What there is'), guide.indexOf('There are no files'))
  const told = [...table.matchAll(/`(\w+)[\w.]*`/g)].map(([, name]) => name)
  const methods = ['digest', 'sign', 'verify', 'encrypt', 'decrypt']
  const expected = [...names(), 'performance', 'navigator']
  assert.deepEqual([...new Set(told)].filter((name) => !methods.includes(name ?? '')).sort(), expected.sort())
  const { text } = await caller.run(
    program(`({ res }) => res.json(${JSON.stringify(expected)}.filter((name) => !(name in globalThis)))`),
  )
  assert.equal(text, '[]')
})

test('a function is called with what the guide lists', async () => {
  const told = [...guide.slice(0, guide.indexOf('What it returns')).matchAll(/^\| (`.+?) \|/gm)].flatMap(
    ([, cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  )
  const { text } = await caller.run(program('(context) => context.res.json(Object.keys(context))'))
  assert.deepEqual(told.sort(), JSON.parse(text).sort())
})
