import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDecoder, encodeFrame } from '../protocol.ts'
import type { FromShim, ToShim } from './frames.ts'

const shim = join(import.meta.dirname, 'shims/javascript/shim.mjs')

/** What the shim of Node says of one run of a program, here and in no container. */
async function said(t: TestContext, source: string): Promise<{ head: FromShim; text: string }[]> {
  const cwd = await mkdtemp(join(tmpdir(), 'shim-'))
  t.after(() => rm(cwd, { recursive: true }))
  await writeFile(join(cwd, 'index.mjs'), source)
  // Its frames go on a pipe, which can be opened by its name.
  const child = spawn('sh', ['-c', '{ exec node "$0" 4>&1 >/dev/null; } | cat', shim], { cwd })
  const run: ToShim = {
    ...{ kind: 'run', id: '1', entrypoint: 'index.mjs', method: 'GET', url: '/', headers: {} },
    ...{ variables: {}, isStreamed: false },
  }
  child.stdin.write(encodeFrame(run))
  const decode = createDecoder<FromShim>()
  const frames: { head: FromShim; text: string }[] = []
  for await (const bytes of child.stdout) {
    for (const { head, body } of decode(bytes)) {
      frames.push({ head, text: body.toString() })
      if (head.kind === 'end' || head.kind === 'failed') child.stdin.end()
    }
  }
  return frames
}

test('a router that seems to have a property of any name is a program with fetch', async (t) => {
  const frames = await said(
    t,
    `export default { __proto__: new Proxy({}, { get: () => () => 'a route' }), fetch: () => new Response('routed') }`,
  )
  assert.deepEqual([frames.at(-1)?.head.kind, frames.at(-1)?.text], ['end', 'routed'])
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
