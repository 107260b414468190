import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, headersOf, urlOf } from '../api.ts'

export type Status = 'UPLOADING' | 'WAITING' | 'BUILDING' | 'READY' | 'FAILED'

type Part = { cursor: string; lines: string[]; status: Status }

const query = `subscription ($id: ID!, $after: String) { deploymentLogs(id: $id, after: $after) { cursor lines status } }`

/** Tells the lines of a build as they come, and answers how it ended. A stream that breaks goes on where it was. */
export async function followBuild(api: Api, id: string, onLine: (line: string) => void): Promise<Status> {
  let after: string | null = null
  for (let broken = 0; ; broken += 1) {
    for await (const { cursor, lines, status } of parts(api, id, after)) {
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

/** The payloads of one stream of events, up to its end. */
async function* parts({ target }: Api, id: string, after: string | null): AsyncGenerator<Part> {
  const headers = { ...headersOf(target), accept: 'text/event-stream', 'content-type': 'application/json' }
  const body = JSON.stringify({ query, variables: { id, after } })
  try {
    const { body: stream } = await fetch(urlOf(target, 'graphql'), { method: 'POST', headers, body })
    let text = ''
    for await (const chunk of stream?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk
      const events = text.split('\n\n')
      text = events.pop() ?? ''
      for (const event of events) {
        const part = readEvent(event)
        if (part) yield part
      }
    }
  } catch {
    // It goes on where it was.
  }
}

function readEvent(event: string): Part | null {
  const lines = event.split('\n').filter((line) => line.startsWith('data:'))
  const json = lines.map((line) => line.slice(5).trim()).join('\n')
  if (json === '') return null
  const { data } = JSON.parse(json) as { data?: { deploymentLogs: Part } | null }
  return data?.deploymentLogs ?? null
}
