/** Tendril's API with instruments: how long its event loop was blocked, what its heap holds, how long a project's schema took. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import pg from 'pg'
import { createSchemas, type Schemas } from '../schema/schemas.ts'
import { startApi } from '../src/api.ts'
import { createApp } from '../src/app.ts'
import { readEnv } from '../src/env.ts'
import { createGraphql } from '../src/server.ts'
import { beginPart, tell } from './parts.ts'

export type Seen = {
  /** The longest time that the event loop stood still since the last look. */
  blockedMs: number
  /** The time that it worked since the last look. */
  activeMs: number
  /** The longest time that anybody waited for a schema since the last look. */
  schemaMs: number
  rssMb: number
  /** What went to PostgreSQL since the last look. */
  queries: number
}

beginPart()
const app = await createApp(readEnv(), 'api')
const schemas = createSchemas(app)
let schemaMs = 0
const timed: Schemas = {
  ...schemas,
  for: async (ctx) => {
    const begun = performance.now()
    const schema = await schemas.for(ctx)
    schemaMs = Math.max(schemaMs, performance.now() - begun)
    return schema
  },
}
const { url } = await startApi(app, createGraphql(app, timed))

let queries = 0
const { query } = pg.Client.prototype
pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
  queries += 1
  return Reflect.apply(query, this, args)
} as typeof query

const resolutionMs = 1
const delays = monitorEventLoopDelay({ resolution: resolutionMs })
delays.enable()
let worked = performance.eventLoopUtilization()

function look(): Seen {
  const now = performance.eventLoopUtilization()
  const { active } = performance.eventLoopUtilization(now, worked)
  const seen = {
    blockedMs: Math.max(0, delays.max / 1e6 - resolutionMs),
    activeMs: active,
    schemaMs,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
    queries,
  }
  delays.reset()
  worked = now
  schemaMs = 0
  queries = 0
  return seen
}

async function weigh() {
  // What was put off until now, and what finalizers free.
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    globalThis.gc?.()
  }
  const { heapUsed, external } = process.memoryUsage()
  return { heapMb: (heapUsed + external) / 2 ** 20 }
}

process.on('message', async (what) => tell(what === 'weigh' ? await weigh() : look()))
tell({ url })
