import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '../../app.ts'
import { asSystem, type Context, sqlTransaction, type TxContext, transaction } from '../../context.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { channelsOf, createPubsub } from '../../platform/pubsub.ts'
import { tick } from '../stream.ts'
import { type Options, projects, runPart } from './part.ts'

const lanes = 12
const things = 12

type Write = { id: string; thing: string; n: number }
type Publish = (projectId: string, write: Write) => Promise<unknown>

/** The change itself: the row lock on the thing is what puts the writes to it in order. */
async function change(tx: TxContext, id: string, thing: string): Promise<Write> {
  const rows = await tx.query<{ n: number }>('update fault_things set n = n + 1 where id = $1 returning n', [thing])
  const n = rows[0]?.n ?? 0
  await tx.query('insert into fault_writes (id, thing, n) values ($1, $2, $3)', [id, thing, n])
  return { id, thing, n }
}

/** One operation, by Prisma or by SQL. With the planted bug its event is published when it is committed, and not before. */
async function write(
  ctx: Context,
  id: string,
  thing: string,
  viaPrisma: boolean,
  publish: Publish | null,
): Promise<void> {
  const operation = async (tx: TxContext) => {
    const written = await change(tx, id, thing)
    if (!publish) await emit(tx, tick, { thing, n: written.n, pad: id })
    return written
  }
  const written = viaPrisma ? await transaction(ctx, operation) : await sqlTransaction(ctx, operation)
  await publish?.(ctx.projectId, written)
}

function plantedPublish(app: App): Publish {
  const channels = channelsOf(`tendril:${app.tails.epoch}:`)
  const pubsub = createPubsub(app.env.REDIS_URL, app.log)
  return (projectId, written) => pubsub.publish(channels.project(projectId), JSON.stringify({ planted: written }))
}

async function begin(app: App, { dir, name, plantedBug }: Options) {
  const publish = plantedBug === 'publish-after-commit' ? plantedPublish(app) : null
  const ledger = openSync(join(dir, `${name}.ledger`), 'a')
  let stopping = false
  const lane = async (number: number) => {
    while (!stopping) {
      const projectId = projects[number % projects.length] ?? projects[0]
      const thing = `${projectId}:${Math.floor(Math.random() * things)}`
      const id = newId('wri')
      try {
        await write(asSystem(app, 'faults', projectId), id, thing, number % 4 < 2, publish)
        // Acknowledged: from here on it must not be lost.
        writeSync(ledger, `${id}\n`)
        fdatasyncSync(ledger)
      } catch {
        await sleep(50)
      }
      await sleep(Math.random() * 10)
    }
  }
  const lanesDone = Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)))
  return async () => {
    stopping = true
    await lanesDone
    closeSync(ledger)
  }
}

export const thingIds = projects.flatMap((projectId) => Array.from({ length: things }, (_, i) => `${projectId}:${i}`))

if (import.meta.main) await runPart(begin)
