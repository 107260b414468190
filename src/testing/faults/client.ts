/** The load, and the outside ledger: what an API node has acknowledged stands in it before the next is asked. */
import { closeSync, fdatasyncSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What it is told. */
export type Load = {
  dir: string
  /** Begins the text of every note that it writes. */
  name: string
  urls: readonly string[]
  authorization: string
  /** Lists of permissions that documents are given. */
  readers: readonly (readonly { role: string; right: 'READ' }[])[]
}

/** What became of its requests. */
export type Requests = {
  acknowledged: number
  /** Answered with an error, or cut off in the middle. A node that cannot be connected to is passed over. */
  failed: number
  /** Of them, those that say INTERNAL: nothing that a client can go by. */
  untyped: number
  /** Not answered within `timeoutMs`. */
  hung: number
  codes: Record<string, number>
}

/** One acknowledged change: `note <text>`, or `counter <id> <n>`. */
export const ledgerFile = (dir: string, name: string) => join(dir, `${name}.ledger`)
export const requestsFile = (dir: string, name: string) => join(dir, `${name}.requests`)

const lanes = 10
const counters = 6
const pauseMs = 150
const timeoutMs = 25_000

const createNote = 'mutation ($input: CreateNoteInput!) { createNote(input: $input) { id } }'
const createCounter = 'mutation ($input: CreateCounterInput!) { createCounter(input: $input) { id } }'
const count = 'mutation ($id: ID!) { updateCounter(input: { id: $id }, apply: { n: { increment: 1 } }) { n } }'

type Answer = { data?: Record<string, { id: string; n: number }> | null; errors?: { extensions?: { code?: string } }[] }

export async function post(url: string, authorization: string, query: string, variables: object): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(timeoutMs),
  })
  return (await response.json()) as Answer
}

/** Whether nothing was sent: a load balancer would ask another node, and so do we. */
function isRefused(error: unknown): boolean {
  const { code } = ((error as { cause?: { code?: string } }).cause ?? {}) as { code?: string }
  return code === 'ECONNREFUSED'
}

function createLoad({ dir, name, urls, authorization, readers }: Load) {
  const ledger = openSync(ledgerFile(dir, name), 'a')
  const seen: Requests = { acknowledged: 0, failed: 0, untyped: 0, hung: 0, codes: {} }
  const any = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T
  const note = (code: string) => {
    seen.codes[code] = (seen.codes[code] ?? 0) + 1
    seen.failed += 1
    if (code === 'INTERNAL' || code === 'none') seen.untyped += 1
  }
  /** Null when it is not known whether anything was done. */
  const ask = async (query: string, variables: object) => {
    try {
      const { data, errors } = await post(any(urls), authorization, query, variables)
      if (!errors && data) return Object.values(data)[0] ?? null
      note(errors?.[0]?.extensions?.code ?? 'none')
    } catch (error) {
      if ((error as Error).name === 'TimeoutError') seen.hung += 1
      else if (!isRefused(error)) note('cut off')
    }
    await sleep(30)
    return null
  }
  const acknowledge = (line: string) => {
    writeSync(ledger, `${line}\n`)
    fdatasyncSync(ledger)
    seen.acknowledged += 1
  }
  const makeCounter = async (): Promise<string> => {
    for (;;) {
      const made = await ask(createCounter, { input: { permissions: any(readers) } })
      if (made) return made.id
    }
  }
  let notes = 0
  const writeNote = async () => {
    notes += 1
    const text = `${name}-${process.pid}-${notes}`
    if (await ask(createNote, { input: { text, permissions: any(readers) } })) acknowledge(`note ${text}`)
  }
  const countUp = async (id: string) => {
    const counted = await ask(count, { id })
    if (counted) acknowledge(`counter ${id} ${counted.n}`)
  }
  const finish = () => {
    closeSync(ledger)
    writeFileSync(requestsFile(dir, name), JSON.stringify(seen))
  }
  return { any, makeCounter, writeNote, countUp, finish }
}

async function run(options: Load): Promise<void> {
  const load = createLoad(options)
  const ids = await Promise.all(Array.from({ length: counters }, load.makeCounter))
  let stopping = false
  const lane = async () => {
    while (!stopping) {
      await (Math.random() < 0.85 ? load.writeNote() : load.countUp(load.any(ids)))
      await sleep(Math.random() * pauseMs)
    }
  }
  const running = Promise.all(Array.from({ length: lanes }, lane))
  process.stdout.write('ready\n')
  process.once('SIGTERM', async () => {
    stopping = true
    await running
    load.finish()
    process.exit(0)
  })
}

if (import.meta.main) {
  await run(JSON.parse(process.argv[2] ?? ''))
}
