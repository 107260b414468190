/** The workers process as it is, with one worker more, whose effects can be counted. */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { implement, onEvent, type Worker } from '../../../workers/implement.ts'
import { workers } from '../../../workers/index.ts'
import { once } from '../../../workers/once.ts'
import { startWorkers } from '../../../workers/start.ts'
import { createApp } from '../../app.ts'
import { asSystem } from '../../context.ts'
import { readEnv } from '../../env.ts'
import { defineJob } from '../../job.ts'

const effectJob = defineJob({
  name: 'effects.have',
  data: z.object({ eventId: z.uuid() }),
  // So few that some always wait in the queue's store, where a fault can find them.
  concurrency: 1,
  retryAfterMs: [200, 500, 1_000, 2_000, 5_000, 10_000],
})

const insert = 'insert into fault_effects ("eventId") values ($1::uuid)'
/** Long enough for a kill to come in the middle. */
const busyMs = 80

const effects: Worker = {
  name: 'effects',
  jobs: [
    implement(effectJob, async (run, { eventId }) => {
      const hasInbox = process.env.FAULTS_BUG !== 'no-inbox'
      if (!hasInbox) await run.sql.query(insert, [eventId])
      await sleep(Math.random() * busyMs)
      if (hasInbox)
        await once(
          asSystem(run, 'effects', ''),
          eventId,
          'effects',
          async (tx) => void (await tx.query(insert, [eventId])),
        )
    }),
  ],
  reactions: [onEvent(['documents.updated'], effectJob, { data: ({ id }) => ({ eventId: id }) })],
  owed: async ({ sql }) => {
    const { rows } = await sql.query<{ id: string }>(
      `select id from events.log l where type = 'documents.updated' and at < now() - interval '5 s'
         and not exists (select from processed p where p."eventId" = l.id and p.handler = 'effects') limit 1000`,
    )
    return rows.map(({ id }) => ({ job: effectJob, key: id, data: { eventId: id } }))
  },
}

const app = await createApp(readEnv(), process.env.FAULTS_NAME ?? 'worker')
// The list is what it is for everybody else; in this process there is one more.
;(workers as Worker[]).push(effects)
// Where a bug is looked for, the job of a worker that was killed is soon taken up again.
const queue = process.env.FAULTS_BUG ? { lockMs: 4_000, touchEveryMs: 500, pollEveryMs: 1_000 } : {}
const running = await startWorkers(app, { sweepEveryMs: 2_000, queue })
process.stdout.write('ready\n')
process.once('SIGTERM', async () => {
  await running.stop()
  await app.close()
  process.exit(0)
})
