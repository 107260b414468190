import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../api.ts'
import { subscribe } from '../events.ts'

export type Status = 'UPLOADING' | 'PENDING' | 'BUILDING' | 'READY' | 'FAILED'

type Told = { deploymentLogs: { cursor: string; lines: string[]; status: Status } }

const query = `subscription ($id: ID!, $after: String) { deploymentLogs(id: $id, after: $after) { cursor lines status } }`

/** Tells the lines of a build as they come, and answers how it ended. A stream that breaks goes on where it was. */
export async function followBuild(api: Api, id: string, onLine: (line: string) => void): Promise<Status> {
  let after: string | null = null
  for (let broken = 0; ; broken += 1) {
    const stream: AsyncGenerator<Told> = subscribe(api, query, { id, after })
    for await (const { deploymentLogs: part } of stream) {
      const { cursor, lines, status } = part
      after = cursor
      broken = 0
      for (const line of lines) onLine(line)
      if (status === 'READY' || status === 'FAILED') return status
    }
    await sleep(Math.min(200 * 2 ** broken, 5_000))
    // Throws what is wrong with the server, or with the key.
    const { deployment } = await api.request<{ deployment: { status: Status } | null }>(
      'query ($id: ID!) { deployment(id: $id) { status } }',
      { id },
    )
    if (deployment === null) return 'FAILED'
  }
}
