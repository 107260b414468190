import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { DockerEngine } from '../../../functions-runtime/docker/engine.ts'
import { startDocker, type TestDocker, whyNoDocker } from './engine.ts'
import { buildFunction, type TestFunction, testEngine, untilReady } from './function.ts'

export type Language = { runtime: string; folder: string; entrypoint: string }

/** Dart is not among them: nothing here carries it, and its shim has not been tried. */
export const languages = {
  javascript: [
    { runtime: 'node-22', folder: 'javascript', entrypoint: 'main.ts' },
    { runtime: 'deno-2', folder: 'javascript', entrypoint: 'main.ts' },
    { runtime: 'bun-1', folder: 'javascript', entrypoint: 'main.ts' },
  ],
  scripts: [
    { runtime: 'python-3.11', folder: 'python', entrypoint: 'main.py' },
    { runtime: 'php-8.2', folder: 'php', entrypoint: 'index.php' },
    { runtime: 'ruby-3.1', folder: 'ruby', entrypoint: 'main.rb' },
  ],
  compiled: [
    { runtime: 'go-1.24', folder: 'go', entrypoint: 'main.go' },
    { runtime: 'java-17', folder: 'java', entrypoint: 'Main.java' },
  ],
} satisfies Record<string, Language[]>

/** What every language must do, in a container of an engine that is started for it. `images` are needed besides. */
export function testContract(languages: readonly Language[], images: readonly string[] = []): void {
  describe('the contract, in a container', { skip: whyNoDocker() ?? false }, () => {
    let docker: TestDocker
    let engine: DockerEngine
    before(async () => {
      const names = languages.map(({ runtime }) => runtime)
      docker = await startDocker([...names, ...images])
      engine = testEngine({ DOCKER_HOST: docker.url, DOCKER_RUNTIMES: names.join() })
    })
    after(async () => {
      await engine?.close()
      await docker?.stop()
    })
    test('images are made of those that are there', async () => {
      for (const { runtime } of languages) await untilReady(engine, runtime)
    })
    for (const language of languages) {
      test(language.runtime, async () => {
        await keepsContract(engine, language)
        await leavesNothing(engine, language)
        await isBuiltAsItsToolsHaveIt(engine, language)
        await doesAsTheGuideSays(engine, language)
      })
    }
  })
}

const guide = readFileSync(new URL('../../../docs/guides/functions-docker.md', import.meta.url), 'utf8')

/** The guide's own function in that language. */
async function doesAsTheGuideSays(engine: DockerEngine, { runtime, entrypoint }: Language): Promise<void> {
  const block = extname(entrypoint).slice(1).replace('py', 'python').replace('rb', 'ruby')
  const [, code] = new RegExp(`\`\`\`${block}\n(.*?)\`\`\``, 's').exec(guide) ?? assert.fail(block)
  const folder = mkdtempSync(join(tmpdir(), 'tendril-guide-'))
  writeFileSync(join(folder, entrypoint), code ?? '')
  const { run } = await buildFunction(engine, runtime, folder, entrypoint).finally(() =>
    rmSync(folder, { recursive: true }),
  )
  const { text, end } = await run('/there?name=Ada', { deploymentId: 'dep_guide' })
  assert.deepEqual([JSON.parse(text), end.logs.map((line) => line.text)], [{ hello: 'Ada' }, ['asked for /there']])
}

/** What a run does beside its answer is no other run's. */
async function leavesNothing(engine: DockerEngine, { runtime, folder, entrypoint }: Language): Promise<void> {
  const { run } = await buildFunction(engine, runtime, folder, entrypoint)
  const linesOf = async (path: string) => (await run(path)).end.logs.map(({ text }) => text)
  const failureOf = async (path: string) => (await run(path)).end.failure
  const isWell = async () => assert.equal((await run('/env', { timeoutMs: 5_000 })).text, 'Ada Ada')

  assert.deepEqual(await linesOf('/print'), ['ü, no end'])
  assert.deepEqual(await linesOf('/env'), [])
  const [long] = await linesOf('/long')
  assert.equal(long?.length, 8_193)
  assert.match((await failureOf('/header'))?.reason ?? '', folder === 'javascript' ? /THREW/ : /INVALID_ANSWER/)
  const { query } = JSON.parse((await run('/hello?page=2&x=%zz')).text)
  assert.equal(query.page, '2')

  if (folder !== 'php') {
    assert.equal(await failureOf('/leave'), null)
    await isWell()
    assert.equal(await failureOf('/later'), null)
    const { text, end } = await run('/told')
    assert.match(text, /The run is over\.$/)
    assert.deepEqual(end.logs, [])
  }
  await isWell()
  await isWell()
  if (['python', 'ruby'].includes(folder)) {
    assert.equal((await run('/fork')).text, 'forked')
    for (let runs = 0; runs < 4; runs++) await isWell()
  }
  if (['php', 'javascript'].includes(folder)) {
    assert.equal((await failureOf('/fatal'))?.reason, 'THREW')
    await isWell()
  }
  if (folder === 'javascript') {
    const cookies = (await run('/cookies')).end.response?.headers['set-cookie']
    assert.equal(cookies, 'a=1; Expires=Thu, 01 Jan 2026 00:00:00 GMT\nb=2')
    await answersAsIsolates(engine, runtime)
  }
  if (folder === 'ruby') assert.deepEqual(await linesOf('/bytes'), ['ü\uFFFD', 'logged'])
  if (folder === 'java' || folder === 'go') {
    for (const isStreamed of [true, false]) {
      const { failure } = (await run('/broken-stream', { isStreamed })).end
      assert.match(`${failure?.reason} ${failure?.message}`, /^THREW .*no$/)
    }
  }
  if (folder === 'java') {
    const json = JSON.parse((await run('/json')).text)
    assert.deepEqual(json, [[1, 2], null, { x: 1, y: 'a' }, 1, null, 'c'])
    assert.deepEqual(await linesOf('/arrays'), ['[1, 2] null a'])
    assert.match((await failureOf('/caused'))?.stack ?? '', /outer\n {4}at Main.*\nCaused by: .*inner\n {4}at Main/s)
  }
  if (folder === 'go') {
    assert.equal((await run('/query?x=%zz&y=%41+b')).text, '%zzA b')
    assert.match((await run('/values', { variables: { ADDED: 'a' } })).text, /^ADDED=a$/m)
    assert.doesNotMatch((await run('/values')).text, /ADDED/)
    const { stack } = (await failureOf('/panic')) ?? {}
    assert.match(stack ?? '', /function\.Main.*\n\tfunction\/main\.go:\d+/)
    assert.doesNotMatch(stack ?? '', /^main\.|tendril/m)
  }
  if (folder === 'python') {
    assert.ok((await linesOf('/buffer')).includes('bytes'))
    for (const _ of [1, 2]) assert.equal(await failureOf('/orphans'), null)
    assert.deepEqual(await linesOf('/orphans'), [])
    assert.equal((await run('/chunk', { isStreamed: true })).end.failure, null)
  }
}

/** Where a language has its files and what it depends on. */
const layouts: Record<string, [folder: string, entrypoint: string, text: string][]> = {
  go: [
    ['go-vendored', 'main.go', 'hi'],
    ['go-vendored', 'api/hello/main.go', 'sub'],
  ],
  java: [['java-maven', 'src/main/java/com/x/App.java', 'from a resource']],
}

async function isBuiltAsItsToolsHaveIt(engine: DockerEngine, { runtime, folder }: Language): Promise<void> {
  for (const [files, entrypoint, text] of layouts[folder] ?? []) {
    const { run } = await buildFunction(engine, runtime, files, entrypoint)
    assert.equal((await run('/', { deploymentId: `dep_${files}` })).text, text)
  }
}

async function answersAsIsolates(engine: DockerEngine, runtime: string): Promise<void> {
  const { run } = await buildFunction(engine, runtime, 'javascript', 'answers.ts')
  const asked = { deploymentId: 'dep_answers' }
  const type = 'text/plain; charset=utf-8'
  const { headers } = (await run('/headers', asked)).end.response ?? assert.fail()
  assert.deepEqual({ ...headers }, { 'content-type': type, 'set-cookie': 'a=1\nb=2', 'x-list': 'a, b' })
  assert.equal((await run('/empty', asked)).end.response?.status, 204)
  const { failure, logs } = (await run('/throw', asked)).end
  assert.deepEqual([failure?.message, logs[0]?.text], ['Thrown: {"code":1}', 'x is 5'])
  const methods = await buildFunction(engine, runtime, 'javascript', 'methods.ts')
  const statusOf = async (method: string) => {
    const { response } = (await methods.run('/', { deploymentId: 'dep_methods', method })).end
    return [response?.status, response?.headers.allow ?? response?.headers['x-a']]
  }
  assert.deepEqual(
    [await statusOf('HEAD'), await statusOf('OPTIONS')],
    [
      [200, 'b'],
      [204, 'GET'],
    ],
  )
  assert.deepEqual(
    [await statusOf('TRACE'), await statusOf('PUT')],
    [
      [405, 'GET'],
      [405, 'GET'],
    ],
  )
  await hearsThatItsCallerLeft(run)
  await waitsBehindItsAnswer(engine, runtime)
}

async function hearsThatItsCallerLeft(run: TestFunction['run']): Promise<void> {
  const leaving = new AbortController()
  setTimeout(() => leaving.abort(), 300)
  const asked = { deploymentId: 'dep_answers', isStreamed: true, signal: leaving.signal }
  const { end, chunks, head } = await run('/ticks', asked)
  assert.deepEqual([head?.status, chunks[0]?.slice(0, 5)], [202, 'tick '])
  const lines = end.logs.map(({ text }) => text)
  assert.deepEqual([end.failure?.reason, lines.toSorted()], ['CRASHED', ['cancelled AbortError', 'left AbortError']])
}

async function waitsBehindItsAnswer(engine: DockerEngine, runtime: string): Promise<void> {
  const { run } = await buildFunction(engine, runtime, 'javascript', 'waits.ts')
  const tell = async (path: string, asked: object) => {
    const { end, text, chunks } = await run(path, { deploymentId: 'dep_waits', ...asked })
    return [end.failure, text || chunks.join(''), end.logs.map(({ text }) => text)]
  }
  assert.deepEqual(await tell('/', {}), [null, 'now', ['done']])
  assert.deepEqual(await tell('/stream', { isStreamed: true }), [null, 'now', ['done']])
  const cut = 'What waitUntil was given was cut off: The function ran longer than 800 ms.'
  assert.deepEqual(await tell('/never', { timeoutMs: 800 }), [null, 'now', [cut]])
  assert.deepEqual(await tell('/', {}), [null, 'now', ['done']])
}

async function keepsContract(engine: DockerEngine, { runtime, folder, entrypoint }: Language): Promise<void> {
  const { run } = await buildFunction(engine, runtime, folder, entrypoint)

  const hello = await run('/hello?page=2')
  assert.equal(hello.end.failure, null)
  assert.deepEqual(JSON.parse(hello.text), {
    method: 'POST',
    query: { page: '2' },
    header: 'b',
    body: { a: [1, 'ü'] },
  })
  assert.equal(hello.end.response?.status, 201)
  assert.equal(hello.end.response?.headers['content-type'], 'application/json')
  assert.equal(hello.end.response?.headers['x-b'], 'c')
  assert.equal(hello.end.isCold, true)
  assert.ok(hello.end.memoryBytes && hello.end.memoryBytes > 1e6)

  const env = await run('/env')
  assert.equal(env.text, 'Ada Ada')
  assert.equal(env.end.isCold, false)

  const logged = await run('/log')
  assert.equal(logged.end.response?.status, 204)
  const lines = logged.end.logs.map(({ level, text }) => `${level} ${text.replace(/, index.php:\d+$/, '')}`)
  // What Go writes to its standard error does not pass the shim.
  const all = ['log one 1', 'log two', 'error three', 'error four']
  assert.deepEqual(lines.sort(), all.slice(0, runtime.startsWith('go') ? 3 : 4).sort())

  const data = JSON.parse((await run('/graphql')).text)
  assert.deepEqual(data, { ordinal: 1, head: { query: '{ a }', variables: { b: 1 } } })
  assert.match((await run('/wrong')).end.failure?.message ?? '', /There is no field wrong\.$/)
  assert.equal((await run('/fetch')).text, '201 d POST https://example.com/x b c')
  assert.match((await run('/refused')).text, /There is no way there\./)

  const thrown = await run('/throw')
  assert.equal(thrown.end.failure?.reason, 'THREW')
  assert.match(thrown.end.failure?.message ?? '', /no$/)
  if (!runtime.startsWith('go')) assert.match(thrown.end.failure?.stack ?? '', new RegExp(`${entrypoint}:?.*\\d+`))
  assert.doesNotMatch(thrown.end.failure?.stack ?? '', /\/tendril\/|\/function\//)

  const redirect = await run('/redirect')
  assert.deepEqual([redirect.end.response?.status, redirect.end.response?.headers.location], [302, '/x'])
  assert.equal((await run('/invalid')).end.failure?.reason, 'INVALID_ANSWER')

  const streamed = await run('/stream', { isStreamed: true })
  assert.deepEqual([streamed.head?.status, streamed.chunks.join(''), streamed.text], [200, 'abc', ''])
  assert.equal((await run('/stream')).text, 'abc')

  assert.equal((await run('/memory')).end.failure?.reason, 'MEMORY')
  const ended = await run('/exit')
  assert.equal(ended.end.failure?.reason, 'CRASHED')
  assert.match(ended.end.failure?.message ?? '', /ended with code [34] before/)
  assert.equal((await run('/env')).text, 'Ada Ada')
}
