/**
 * `npm run bench:documents`: our server with permissions on, one written by hand without any, and PostGraphile, on the same
 * tables, with pools of the same size, asked in turns. The API process alone is measured: no relay runs, and what a
 * round has written, events included, is deleted before the next.
 */
import { type CaseName, caseNames, cases } from './documents/cases.ts'
import {
  compareAnswers,
  countWritten,
  type Figures,
  figuresOf,
  measureOne,
  removeWritten,
} from './documents/measure.ts'
import { installPeers, type Peers, type ServerName, serverNames, startPeers } from './documents/peers.ts'
import type { Measured } from './load.ts'
import { type Options, type Outcome, runBenchmark } from './options.ts'
import { type Part, startPart } from './parts.ts'
import { say } from './say.ts'
import { type Ground, prepareGround } from './servers.ts'

const usage = 'npm run bench:documents -- [--json] [--quick] [--rounds 5] [--seconds 2] [--planted-bug no-plan]'

async function measureCase(
  name: CaseName,
  ground: Ground,
  peers: Peers,
  load: Part,
  options: Options,
): Promise<Figures> {
  const { sql } = ground.world.app
  await compareAnswers(name, peers)
  const measured: Record<ServerName, Measured[]> = { ours: [], raw: [], postgraphile: [] }
  // Before the first round each is asked for a while: connections, prepared statements, compiled JavaScript.
  for (let i = 0; i <= options.rounds; i++) {
    for (const k of serverNames.keys()) {
      const server = serverNames[(i + k) % serverNames.length] ?? 'ours'
      if (cases[name].writes) await removeWritten(sql, peers.filled)
      const one = await measureOne(load, name, server, options.seconds, peers)
      if (one && i > 0) measured[server].push(one)
      if (one && cases[name].writes) await checkWritten(name, server, ground, peers)
    }
  }
  if (cases[name].writes) await removeWritten(sql, peers.filled)
  const figures = figuresOf(measured)
  const { rps, p50Ms, p99Ms, ratioToRaw, ratioToPostgraphile } = figures
  const others = `${ratioToRaw} of raw (${figures.rawRps}), ${ratioToPostgraphile ?? '–'} × PostGraphile (${figures.postgraphileRps ?? '–'})`
  say(`${name.padEnd(7)} ${rps} a second, p50 ${p50Ms} ms, p99 ${p99Ms} ms; ${others}`)
  return figures
}

/** A write without its event would be another task. PostGraphile has no events. */
async function checkWritten(name: CaseName, server: ServerName, { world }: Ground, { filled }: Peers): Promise<void> {
  const { posts, events } = await countWritten(world.app.sql, filled)
  const expected = server === 'postgraphile' ? 0 : posts
  if (posts === 0 || events !== expected)
    throw new Error(`${name}: ${server} wrote ${posts} posts and ${events} events.`)
}

async function run(options: Options): Promise<Outcome> {
  installPeers(say)
  const ground = await prepareGround(say)
  try {
    const peers = await startPeers(ground, options.plantedBug)
    const load = await startPart('load.ts', {})
    const figures: Partial<Record<CaseName, Figures>> = {}
    try {
      say(`${options.rounds} rounds of ${options.seconds} s for each server and case, 16 connections, pools of 10`)
      for (const name of caseNames) figures[name] = await measureCase(name, ground, peers, load, options)
    } finally {
      await load.stop()
      await peers.stop()
    }
    return { figures: { cases: figures }, broken: [] }
  } finally {
    await ground.close()
  }
}

await runBenchmark(usage, { rounds: 5, seconds: 2, bugs: ['no-plan'] }, run)
