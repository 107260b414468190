/** The load, and the outside ledger: what an API node has acknowledged over HTTP stands in it before the next is asked. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { App } from '../../app.ts'
import { newId } from '../../lib/ids.ts'
import { type Options, projects, runPart } from './part.ts'

const lanes = 12
const things = 12

export const thingIds = projects.flatMap((projectId) => Array.from({ length: things }, (_, i) => `${projectId}:${i}`))

const query = 'mutation ($id: String!, $thing: String!) { tick(id: $id, thing: $thing) }'

/** Whether the API has said that it is done. An answer that was lost says nothing. */
async function isAcknowledged(url: string, variables: { id: string; thing: string }): Promise<boolean> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(10_000),
  })
  const answer = (await response.json()) as { data?: { tick: number | null } | null }
  return typeof answer.data?.tick === 'number'
}

async function begin(_app: App, { dir, name, ports }: Options) {
  const ledger = openSync(join(dir, `${name}.ledger`), 'a')
  let stopping = false
  const lane = async (number: number) => {
    const projectId = projects[number % projects.length] ?? projects[0]
    while (!stopping) {
      const port = ports[Math.floor(Math.random() * ports.length)]
      const id = newId('wri')
      const thing = `${projectId}:${Math.floor(Math.random() * things)}`
      try {
        if (await isAcknowledged(`http://127.0.0.1:${port}/projects/${projectId}/graphql`, { id, thing })) {
          // Acknowledged: from here on it must not be lost.
          writeSync(ledger, `${id}\n`)
          fdatasyncSync(ledger)
        }
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

if (import.meta.main) await runPart(begin)
