/**
 * `npm test [files]`: the servers that the tests need, started once, and Node's test runner on every test file but those that
 * take so long that they have a command of their own: `test:programs`, `test:docker`, `test:sandbox`, `test:faults`, `test:fuzz`. With
 * `--releases` what is tried on other releases of PostgreSQL, and only that (`test:releases`).
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { globSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCluster, oldest, withVectors } from './clusters.ts'
import { startTestServers, type TestServers } from './servers.ts'

const TIMEOUT_MS = 120_000
/** Node's own timeout does not end a file whose tests are over and that has left something open. */
const FILE_TIMEOUT_S = 420
const FILES = '{schema,src,workers,functions-runtime,prisma,examples,cli}/**/*.test.ts'
const APART =
  /node_modules|^(cli|examples)\/|^functions-runtime\/(docker|verify)\/|^src\/testing\/fuzz|^(workers|functions-runtime)\/\w+\/faults\./

const results = join(tmpdir(), `tendril-test-${process.pid}.tap`)
/** What V8 has made of the modules that each file's process begins with. */
const compiled = join(tmpdir(), `tendril-test-${process.pid}.compiled`)
const say = (line: string) => console.log(`▸ ${line}`)
const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`

const processors = Math.max(2, Math.min(availableParallelism(), 8))

let servers: TestServers | undefined
let runner: ChildProcess | undefined
let interrupted: NodeJS.Signals | undefined

function runTests(files: string[], env: TestServers['env'], atOnce = processors): Promise<number> {
  const flags = [
    '--test',
    `--test-concurrency=${atOnce}`,
    `--test-timeout=${TIMEOUT_MS}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${results}`,
  ]
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
  const child = spawn(process.execPath, [...flags, ...files], {
    stdio: 'inherit',
    env: { NODE_ENV: 'test', NODE_COMPILE_CACHE: compiled, ...inherited, ...env },
  })
  runner = child
  const watch = setInterval(() => endOverdue(child.pid), 5_000)
  return new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  }).finally(() => clearInterval(watch))
}

/** Ends the processes of test files that take too long, so that the runner reports them as failed and goes on. */
function endOverdue(parent: number | undefined): void {
  // Null where there is no `ps`: then nothing is watched.
  const { stdout } = spawnSync('ps', ['-axo', 'pid=,ppid=,etime=,args='], { encoding: 'utf8' })
  for (const line of (stdout ?? '').split('\n')) {
    const [, pid, ppid, time = '', command = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? []
    if (Number(ppid) !== parent || secondsOf(time) < FILE_TIMEOUT_S) continue
    say(`${command.split(' ').at(-1)} does not end: its process is killed after ${FILE_TIMEOUT_S} s`)
    spawnSync('kill', ['-KILL', pid ?? ''])
  }
}

/** Of `[[days-]hours:]minutes:seconds`, as ps writes elapsed time. */
function secondsOf(time: string): number {
  const [clock = '', days = '0'] = time.split('-').reverse()
  return clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days) * 86_400
}

function countSkipped(): number {
  return readFileSync(results, 'utf8')
    .split('\n')
    .filter((line) => /^\s*ok \d+ .*# SKIP .*mongo/i.test(line)).length
}

/** Other releases of PostgreSQL than the one of all tests, and what is tried on them too. */
const others = [
  // What speaks to PostgreSQL in words that differ from one version to the next.
  { release: oldest, files: '{src/documents,schema/documents,workers/databases}/*.test.ts' },
  {
    release: withVectors,
    files: '{schema/documents/vectors,src/documents/nearest,src/documents/operators-vector}.test.ts',
  },
]

async function testOther({ release, files }: (typeof others)[number], env: TestServers['env']): Promise<number> {
  if (release.skip) {
    say(`Not tested on ${release.title}: ${release.skip}`)
    return 0
  }
  const cluster = createCluster(release)
  try {
    const { url, server } = await cluster.start(cluster.create('data'))
    say(`${files} on ${release.title}`)
    return await runTests(globSync(files).sort(), { ...env, DATABASE_URL: url }).finally(() => server.stop())
  } finally {
    cluster.remove()
  }
}

async function testOthers(env: TestServers['env']): Promise<number> {
  for (const one of others) {
    const code = await testOther(one, env)
    if (code !== 0) return code
  }
  return 0
}

async function main(): Promise<number> {
  const given = process.argv.slice(2)
  const isOfReleases = given.includes('--releases')
  const files = given.length > 0 ? given : globSync(FILES).filter((path) => !APART.test(path))
  if (files.length === 0) throw new Error('There is no test file.')
  const begun = performance.now()
  servers = await startTestServers(say)
  say(`Servers ready after ${seconds(begun)}`)
  if (interrupted) return 1
  if (isOfReleases) return testOthers(servers.env)
  const testing = performance.now()
  // Most tests wait as often as they compute; those that are named, and the long ones among them, start much of their own.
  const code = await runTests(files.sort(), servers.env, given.length > 0 ? processors : processors + 1)
  say(`Tests took ${seconds(testing)}, everything ${seconds(begun)}`)
  if (servers.missing) say(`No MongoDB (${servers.missing}): ${countSkipped()} test(s) skipped`)
  return code
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted = signal
    runner?.kill(signal)
  })
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await servers?.stop()
  for (const path of [results, compiled]) rmSync(path, { recursive: true, force: true })
}
if (interrupted) process.exitCode = 130
