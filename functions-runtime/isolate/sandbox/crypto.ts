import type { webcrypto } from 'node:crypto'
import { types } from 'node:util'
import { nodeCrypto } from './later.ts'

type Args = readonly unknown[]
type Subtle = Record<string, (...args: Args) => Promise<unknown>>

const methods = new Set([
  'digest',
  'importKey',
  'exportKey',
  'generateKey',
  'sign',
  'verify',
  'encrypt',
  'decrypt',
  'deriveBits',
  'deriveKey',
  'wrapKey',
  'unwrapKey',
])
const maxIterations = 1_000_000
/** Of all that is derived: each 256 bits take all iterations. */
const maxRounds = 4_000_000
const maxKeys = 1_000

/** `crypto.subtle` for one run. Keys stay here; the run has numbers for them. */
export function createCrypto(): (head: unknown) => Promise<unknown> {
  const keys: webcrypto.CryptoKey[] = []

  function unpack(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value
    if ('$bytes' in value) return Buffer.from(String(value.$bytes), 'base64')
    if ('$key' in value) {
      const key = keys[Number(value.$key)]
      if (!key) throw new TypeError('There is no such key.')
      return key
    }
    if (Array.isArray(value)) return value.map(unpack)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, unpack(one)]))
  }

  function pack(value: unknown): unknown {
    if (value instanceof ArrayBuffer) return { $bytes: Buffer.from(value).toString('base64') }
    if (typeof value !== 'object' || value === null) return value
    if (isKey(value)) return packKey(value)
    if ('privateKey' in value) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, pack(one)]))
    return value
  }

  function packKey(key: webcrypto.CryptoKey): object {
    if (keys.length >= maxKeys) throw new RangeError('A run may hold 1,000 keys.')
    keys.push(key)
    const { type, extractable, usages } = key
    return { $key: keys.length - 1, type, extractable, usages, algorithm: packAlgorithm(key.algorithm) }
  }

  return async (head) => {
    const { name, args } = head as { name: string; args: Args }
    if (!methods.has(name) || !Array.isArray(args)) throw new TypeError('There is no such method.')
    const given = args.map(unpack)
    for (const one of given) requireBounded(one, name)
    requireShort(given)
    return pack(await (nodeCrypto().webcrypto.subtle as unknown as Subtle)[name]?.(...given))
  }
}

const isKey = (value: object): value is webcrypto.CryptoKey => types.isCryptoKey(value)

function packAlgorithm(algorithm: object): object {
  return Object.fromEntries(
    Object.entries(algorithm).map(([name, one]) => [name, one instanceof Uint8Array ? [...one] : one]),
  )
}

function requireShort([algorithm, , wanted]: Args): void {
  const { iterations } = Object(algorithm) as { iterations?: unknown }
  const bits = Number(typeof wanted === 'object' ? (wanted as { length?: unknown } | null)?.length : wanted) >>> 0
  if (Number(iterations) * Math.ceil(bits / 256) > maxRounds)
    throw new RangeError('So long a key needs fewer iterations.')
}

/** What would hold a thread for minutes is refused: it cannot be stopped with the run. */
function requireBounded(argument: unknown, method: string): void {
  if (typeof argument !== 'object' || argument === null) return
  const { iterations, modulusLength } = argument as { iterations?: unknown; modulusLength?: unknown }
  if (Number(iterations) > maxIterations) throw new RangeError('At most 1,000,000 iterations.')
  if (method === 'generateKey' && Number(modulusLength) > 2_048) throw new RangeError('At most 2,048 bits.')
}
