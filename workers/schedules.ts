import { setTimeout as sleep } from 'node:timers/promises'
import { asSystem, type Services } from '../src/context.ts'
import { planDueRuns } from '../src/modules/tasks/runs.ts'
import type { Worker } from './implement.ts'

const batchSize = 50

/** The clock of tasks. Every process has one: the rows that one of them has locked, the others skip. */
export const schedules: Worker = {
  name: 'schedules',
  jobs: [],
  reactions: [],
  start: (services) => {
    const stopping = new AbortController()
    const run = async () => {
      while (!stopping.signal.aborted) {
        const isMore = await planAll(services)
        // Just after the second has turned, for that is when schedules name.
        const wait = isMore ? 0 : 1_005 - (Date.now() % 1_000)
        await sleep(wait, undefined, { signal: stopping.signal }).catch(() => {})
      }
    }
    const running = run()
    return {
      stop: async () => {
        stopping.abort()
        await running
      },
    }
  },
}

async function planAll(services: Services): Promise<boolean> {
  try {
    return (await planDueRuns(asSystem(services, 'schedules', ''), batchSize)) === batchSize
  } catch (error) {
    services.log.warn({ err: error }, 'tasks that are due could not be planned; trying again')
    return false
  }
}
