import { existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '../../app.ts'
import { changes } from '../../changes.ts'
import { asSystem } from '../../context.ts'
import { encodeCursor } from '../../cursor.ts'
import { channelsOf, createPubsub } from '../../platform/pubsub.ts'
import { tick } from '../stream.ts'
import { type Options, projects, runPart } from './part.ts'

/** One line of a sink's file. `cursor` is where it goes on. */
export type Received = { seq: string; id: string; thing: string; n: number; cursor: string | null }

/** It drops its stream and resumes it about so often, by itself. */
const reconnectMs = 2_000

export const sinkFile = (dir: string, name: string, projectId: string) => join(dir, `${name}.${projectId}.sink`)

/** What a sink has received. A line that a kill has torn was not received. */
export function readSink(path: string): Received[] {
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole))
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

/** Follows a project for ever: resumes from the last line of its own file. */
async function follow(app: App, path: string, projectId: string, isStopping: () => boolean): Promise<void> {
  const stream = { epoch: app.tails.epoch, projectId }
  // At first from the beginning, so that nothing is missed before there is a cursor.
  let cursor = readSink(path).at(-1)?.cursor ?? encodeCursor(app.env.SECRET_KEYS, stream, 0n)
  const file = openSync(path, 'a')
  while (!isStopping()) {
    const events = changes(asSystem(app, 'faults', projectId), {
      after: cursor,
      select: ({ payload }) => tick.payload.parse(payload),
    })
    const leave = setTimeout(() => void events.return?.(), reconnectMs * (0.5 + Math.random()))
    try {
      for await (const { cursor: at, event, thing, n, pad } of events) {
        const line: Received = { seq: String(event.seq), id: pad ?? '', thing, n, cursor: at }
        writeSync(file, `${JSON.stringify(line)}\n`)
        cursor = at
      }
    } catch (error) {
      app.log.warn({ err: error }, 'a sink resumes')
      await sleep(100)
    }
    clearTimeout(leave)
  }
}

/** With the planted bug there is nothing but the messages. */
function followMessages(app: App, path: string, projectId: string): void {
  const file = openSync(path, 'a')
  const channels = channelsOf(`tendril:${app.tails.epoch}:`)
  createPubsub(app.env.REDIS_URL, app.log).subscribe(channels.project(projectId), (message) => {
    const { planted } = message as { planted?: Omit<Received, 'seq' | 'cursor'> }
    if (planted) writeSync(file, `${JSON.stringify({ seq: '0', cursor: null, ...planted })}\n`)
  })
}

async function begin(app: App, { dir, name, plantedBug }: Options) {
  let stopping = false
  for (const projectId of projects) {
    const path = sinkFile(dir, name, projectId)
    if (plantedBug === 'publish-after-commit') followMessages(app, path, projectId)
    else void follow(app, path, projectId, () => stopping)
  }
  return async () => {
    stopping = true
  }
}

if (import.meta.main) await runPart(begin)
