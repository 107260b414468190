/** A process that runs one kind of job, for tests that kill it: `node queue-process.ts <options as JSON>`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createPool } from '../platform/db.ts'
import { createLog } from '../platform/log.ts'
import { createQueue } from '../platform/queue/queue.ts'

export type QueueProcess = {
  databaseUrl: string
  redisUrl: string
  mongoUrl?: string | undefined
  epoch: string
  lockMs: number
  touchEveryMs: number
  pollEveryMs: number
  /** `insert` writes one row into `effects`; `hang` does so after an hour; `die` ends the process in the middle. */
  what: 'insert' | 'hang' | 'die'
  /** Enqueues a job by that key. */
  adds?: string
}

if (import.meta.main) {
  const options: QueueProcess = JSON.parse(process.argv[2] ?? '')
  const sql = createPool(options.databaseUrl, 5)
  const queue = createQueue({ ...options, sql, log: createLog('silent', 'queue-process') })
  const kind = { name: 'effects.insert', concurrency: 5, retryAfterMs: [] }
  queue.define(kind, async ({ key }) => {
    process.stdout.write(`started ${key}\n`)
    if (options.what === 'die') process.kill(process.pid, 'SIGKILL')
    if (options.what === 'hang') await new Promise((resolve) => setTimeout(resolve, 3_600_000))
    await sql.query('insert into effects (key, pid) values ($1, $2)', [key, process.pid])
    return undefined
  })
  queue.start()
  process.stdout.write('ready\n')
  const { adds } = options
  for (let isAdded = adds === undefined; !isAdded; await sleep(50)) {
    isAdded = await queue.enqueue(kind, adds ?? '', {}).then(
      () => true,
      () => false,
    )
  }
}
