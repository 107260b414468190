/**
 * `npm run bench:jobs`: from a commit to what happens later, with jobs in MongoDB and in PostgreSQL: to the receiver of a
 * webhook, alone and beside one that hangs; to the start of a lone job; to the audit log under many writes.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiOptions } from '../src/node-options.ts'
import { startMongo } from '../src/servers/mongo.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { type Heard, measureAudits, measureStarts, measureWebhooks, type Started } from './jobs/measure.ts'
import { type Options, type Outcome, runBenchmark } from './options.ts'
import { type Part, startPart } from './parts.ts'
import { median, percentile, round, say } from './say.ts'
import { type Ground, prepareGround } from './servers.ts'

const usage =
  'npm run bench:jobs -- [--json] [--quick] [--rounds 3] [--seconds 120 (of many writes)] [--planted-bug skip-events]'

type Stage = { world: World; api: Part; load: Part; one: Part; ten: Part }

type Figures = {
  webhookP50Ms: number
  loadedWebhookP50Ms: number
  startP50Ms: number
  startP99Ms: number
  lost: number
  drainSeconds: number
}

/** The receiver that never answers, of ten. */
const hanging = 9

async function measure(stage: Stage, options: Options): Promise<{ figures: Figures; broken: string[] }> {
  const { world } = stage
  const seconds = options.quick ? 1 : 6
  const [url = ''] = stage.one.told.url.split(' ')
  const patienceMs = options.quick ? 8_000 : 60_000
  await measureStarts(world, url, 5, patienceMs)
  const starts: Started[] = []
  const calm: Heard[] = []
  const loaded: Heard[] = []
  for (let i = 0; i < options.rounds; i++) {
    starts.push(await measureStarts(world, url, options.quick ? 10 : 40, patienceMs))
    calm.push(await measureWebhooks(world, stage.one, { perSecond: 50, seconds, hanging: -1, patienceMs }))
    loaded.push(
      await measureWebhooks(world, stage.ten, { perSecond: options.quick ? 100 : 300, seconds, hanging, patienceMs }),
    )
    say(
      `  round ${i + 1}: start ${shown(starts.at(-1)?.waitsMs)}, webhook ${shown(calm.at(-1)?.waitsMs)}, beside others ${shown(loaded.at(-1)?.waitsMs)}`,
    )
  }
  const audits = await measureAudits(world, stage, {
    perSecond: options.quick ? 100 : 500,
    seconds: options.quick ? 2 : options.seconds,
    patienceMs,
  })
  say(`  ${audits.written} writes: ${audits.lost} without an audit, the last after ${round(audits.drainSeconds, 1)} s`)
  const heard = [...calm, ...loaded]
  const lost = audits.lost + [...heard, ...starts].reduce((sum, each) => sum + each.lost, 0)
  const waitsMs = starts.flatMap((each) => each.waitsMs)
  const repeated = heard.reduce((sum, each) => sum + each.repeated, 0)
  const figures = {
    webhookP50Ms: round(median(calm.map(({ waitsMs }) => median(waitsMs)))),
    loadedWebhookP50Ms: round(median(loaded.map(({ waitsMs }) => median(waitsMs)))),
    startP50Ms: round(median(waitsMs)),
    startP99Ms: round(percentile(waitsMs, 0.99)),
    lost,
    drainSeconds: round(audits.drainSeconds, 1),
  }
  const broken = [
    ...(lost > 0 ? [`${lost} events came to nothing.`] : []),
    ...(repeated > 0 ? [`${repeated} events came to a receiver twice.`] : []),
  ]
  return { figures, broken }
}

function shown(waitsMs: readonly number[] = []): string {
  return `p50 ${round(median(waitsMs), 0)} p99 ${round(percentile(waitsMs, 0.99), 0)} ms`
}

async function runOn(ground: Ground, mongoUrl: string | null, options: Options) {
  const parts: Part[] = []
  const start = async (...args: Parameters<typeof startPart>) => {
    const part = await startPart(...args)
    parts.push(part)
    return part
  }
  const own = { EGRESS_ALLOW: '127.0.0.0/8', MONGODB_URL: mongoUrl ?? '' }
  const world = await createWorld(own)
  try {
    const env = { ...ground.env, ...own, DATABASE_URL: world.env.DATABASE_URL }
    const { plantedBug } = options
    await start('jobs/workers.ts', { plantedBug }, env)
    const api = await start('api.ts', {}, env, apiOptions)
    const load = await start('load.ts', {})
    const one = await start('jobs/receivers.ts', { count: 1, hanging: -1 })
    const ten = await start('jobs/receivers.ts', { count: 10, hanging })
    return await measure({ world, api, load, one, ten }, options)
  } finally {
    await Promise.all(parts.map((part) => part.stop()))
    await world.close()
  }
}

async function run(options: Options): Promise<Outcome> {
  const ground = await prepareGround(say)
  const dir = await mkdtemp(join(tmpdir(), 'tendril-bench-'))
  try {
    const mongo = await startMongo({ dir, onProgress: say })
    if ('missing' in mongo) throw new Error(`There is no MongoDB: ${mongo.missing}.`)
    say('jobs in MongoDB')
    const first = await runOn(ground, mongo.url, options).finally(mongo.stop)
    say('jobs in PostgreSQL')
    const second = await runOn(ground, null, options)
    return {
      figures: { ...first.figures, postgres: second.figures },
      broken: [...first.broken, ...second.broken.map((line) => `With jobs in PostgreSQL: ${line}`)],
    }
  } finally {
    await ground.close()
    await rm(dir, { recursive: true, force: true })
  }
}

await runBenchmark(usage, { rounds: 3, seconds: 120, bugs: ['skip-events'] }, run)
