import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDecoder, encodeFrame } from '../protocol.ts'
import type { FromShim, ToShim } from './frames.ts'

const shim = join(import.meta.dirname, 'shims/javascript/shim.mjs')

/** What the shim of Node says of runs of a program, one after the other, here and in no container. */
async function said(
  t: TestContext,
  source: string,
  urls = ['/'],
  headers: Record<string, string> = {},
): Promise<{ head: FromShim; text: string }[]> {
  const cwd = await mkdtemp(join(tmpdir(), 'shim-'))
  t.after(() => rm(cwd, { recursive: true }))
  await writeFile(join(cwd, 'index.mjs'), source)
  // Its frames go on a pipe, which can be opened by its name.
  const child = spawn('sh', ['-c', '{ exec node "$0" 4>&1 >/dev/null; } | cat', shim], { cwd })
  const next = () => {
    const url = urls.shift()
    if (url === undefined) return child.stdin.end()
    const run: ToShim = {
      ...{ kind: 'run', id: url, entrypoint: 'index.mjs', method: 'GET', url, headers },
      ...{ variables: {}, isStreamed: false },
    }
    child.stdin.write(encodeFrame(run))
  }
  next()
  const decode = createDecoder<FromShim>()
  const frames: { head: FromShim; text: string }[] = []
  for await (const bytes of child.stdout) {
    for (const { head, body } of decode(bytes)) {
      frames.push({ head, text: body.toString() })
      if (head.kind === 'end' || head.kind === 'failed') next()
    }
  }
  return frames
}

test('what a run leaves behind asks for nothing, and says nothing, as part of the next', async (t) => {
  const source = `const told = []
  export default async ({ req, res, log, fetch, graphql }) => {
    if (req.path === '/first') {
      setTimeout(async () => {
        log('late')
        for (const ask of [() => graphql('{ a }'), () => fetch('https://example.com')]) told.push(await ask().catch(String))
      }, 100)
      return res.empty()
    }
    await new Promise((done) => setTimeout(done, 300))
    return res.json(told)
  }`
  const frames = await said(t, source, ['/first', '/second'])
  assert.deepEqual(
    frames.map(({ head }) => head.kind),
    ['ready', 'end', 'end'],
  )
  const over = 'Error: The run is over.'
  assert.deepEqual(JSON.parse(frames.at(-1)?.text ?? ''), [over, over])
})

test('a router that seems to have a property of any name is a program with fetch', async (t) => {
  const frames = await said(
    t,
    `export default { __proto__: new Proxy({}, { get: () => () => 'a route' }), fetch: () => new Response('routed') }`,
  )
  assert.deepEqual([frames.at(-1)?.head.kind, frames.at(-1)?.text], ['end', 'routed'])
})

test('a schedule calls what other platforms call scheduled', async (t) => {
  const source = `export default {
    fetch: () => new Response('fetched'),
    async scheduled({ scheduledTime }) { console.log(new Date(scheduledTime).toISOString()) },
  }`
  const at = '2026-03-29T01:00:00.000Z'
  const frames = await said(t, source, ['/'], { 'tendril-scheduled-at': at })
  const logs = frames.flatMap(({ head }) => (head.kind === 'log' ? [head.text] : []))
  const last = frames.at(-1)?.head
  assert.deepEqual([last?.kind === 'end' && last.status, logs], [204, [at]])
})

test('what waitUntil was given may fail before there is an answer, which is none the worse', async (t) => {
  const frames = await said(
    t,
    `export default { async fetch(request, env, { waitUntil }) {
      waitUntil(Promise.reject(new RangeError('beside')))
      await new Promise((done) => setTimeout(done, 50))
      return new Response('answered')
    } }`,
  )
  const kinds = frames.map(({ head }) => head.kind).filter((kind) => kind !== 'log')
  assert.deepEqual(kinds, ['ready', 'held', 'end'])
  assert.equal(frames.find(({ head }) => head.kind === 'held')?.text, 'answered')
  const logs = frames.flatMap(({ head }) => (head.kind === 'log' ? [head.text] : []))
  assert.equal(logs[0], 'RangeError: beside')
})
