/** What a function's context may ask of the process around it, by name. Strings in, strings out. */
import { limits } from '../messages.ts'
import { nodeCrypto } from './later.ts'

export type Given = { head: unknown; bytes: string }
export type Got = { head?: unknown; bytes?: string } | undefined
export type Op = (given: Given) => Got

/** Those that need no run. */
export const plainOps: ReadonlyMap<string, Op> = new Map<string, Op>([
  ['uuid', () => ({ head: nodeCrypto().randomUUID() })],
  [
    'random',
    ({ head }) => ({
      bytes: nodeCrypto()
        .randomBytes(Math.min(Number(head) || 0, 65_536))
        .toString('base64'),
    }),
  ],
  ['encode', ({ bytes }) => ({ bytes: Buffer.from(bytes, 'utf8').toString('base64') })],
  ['decode', decode],
  ['url', url],
])

function decode({ head, bytes }: Given): Got {
  const { encoding, stream, ...options } = head as { encoding: string; stream?: boolean; fatal?: boolean }
  const open = () => new TextDecoder(String(encoding), options)
  const decoder = open()
  const given = Buffer.from(bytes, 'base64')
  const text = decoder.decode(given, { stream: stream === true })
  const rest = stream === true ? unfinished(given, text, open) : 0
  return { head: { encoding: decoder.encoding, rest }, bytes: text }
}

/** How many bytes at the end are the beginning of a character, and are none of the text yet. */
function unfinished(given: Buffer, text: string, open: () => TextDecoder): number {
  for (let rest = 0; rest < Math.min(4, given.length + 1); rest += 1) {
    try {
      if (open().decode(given.subarray(0, given.length - rest)) === text) return rest
    } catch {
      // It ends within a character.
    }
  }
  return 0
}

const changeable = [
  'href',
  'protocol',
  'username',
  'password',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
] as const

function url({ head }: Given): Got {
  const { op, head: given } = head as { op: string; head: Record<string, string | null> }
  if (op === 'parse') return { head: parts(URL.parse(String(given.text), given.base ?? undefined)) }
  const parsed = URL.parse(String(given.href))
  const part = changeable.find((name) => name === given.part)
  if (!parsed || !part) return { head: null }
  parsed[part] = String(given.value)
  return { head: parts(parsed) }
}

function parts(parsed: URL | null): object | null {
  if (!parsed) return null
  return { ...Object.fromEntries(changeable.map((name) => [name, parsed[name]])), origin: parsed.origin }
}

type Channel = {
  find: (name: string) => Op | undefined
  /** What went wrong with a context's answer: it does not wait to hear it. */
  unheard: (error: unknown) => void
}

/** Answers a call by its name; whatever goes wrong comes back as a name and a message. */
export function createChannel({ find, unheard }: Channel): (op: string, json: string, bytes: string) => string {
  return (name, json, bytes) => {
    try {
      const op = find(name)
      if (!op || typeof json !== 'string' || typeof bytes !== 'string') throw new TypeError('There is no such call.')
      if (json.length > limits.callJson || bytes.length > limits.callBytes)
        throw new RangeError('The call is too large.')
      const got = op({ head: JSON.parse(json), bytes })
      return `=${JSON.stringify(got?.head ?? null)}\n${got?.bytes ?? ''}`
    } catch (error) {
      if (name === 'end') unheard(error)
      return `!${JSON.stringify(nameAndMessage(error))}\n`
    }
  }
}

export function nameAndMessage(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: 'Something went wrong.' }
  return { name: error.name, message: error.message.slice(0, 1_000) }
}
