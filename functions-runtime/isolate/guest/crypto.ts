import { bytesOf, fromBase64, toBase64 } from './bytes.ts'
import { DOMException } from './events.ts'
import { scope } from './scope.ts'

type KeyHead = { $key: number; type: string; extractable: boolean; algorithm: object; usages: string[] }

/** What is bytes of it comes as numbers. */
function algorithmOf(given: object): object {
  return Object.fromEntries(
    Object.entries(given).map(([name, one]) => [name, Array.isArray(one) ? Uint8Array.from(one) : one]),
  )
}

// The web's own class. The key itself stays in the host.
export class CryptoKey {
  readonly type: string
  readonly extractable: boolean
  readonly algorithm: object
  readonly usages: string[]
  readonly #id: number
  constructor(head: KeyHead) {
    this.type = head.type
    this.extractable = head.extractable
    this.algorithm = algorithmOf(head.algorithm)
    this.usages = head.usages
    this.#id = head.$key
  }
  get [Symbol.toStringTag]() {
    return 'CryptoKey'
  }
  static id(value: unknown): number | null {
    return typeof value === 'object' && value !== null && #id in value ? value.#id : null
  }
}

/** Bytes and keys as JSON can carry them. */
function pack(value: unknown): unknown {
  const bytes = bytesOf(value)
  if (bytes) return { $bytes: toBase64(bytes) }
  const key = CryptoKey.id(value)
  if (key !== null) return { $key: key }
  if (Array.isArray(value)) return value.map(pack)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, pack(one)]))
}

function unpack(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('$bytes' in value) return fromBase64(String(value.$bytes)).buffer
  if ('$key' in value) return new CryptoKey(value as KeyHead)
  if (Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, unpack(one)]))
}

const method =
  (name: string) =>
  async (...args: unknown[]): Promise<unknown> => {
    const { head } = await scope().ask('crypto', { name, args: args.map(pack) }).answer
    return unpack(head)
  }

const names = [
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
]

// The web's own classes. Nobody makes one.
export class SubtleCrypto {
  constructor() {
    throw new TypeError('Illegal constructor')
  }
  get [Symbol.toStringTag]() {
    return 'SubtleCrypto'
  }
}
Object.assign(SubtleCrypto.prototype, Object.fromEntries(names.map((name) => [name, method(name)])))

export class Crypto {
  declare readonly subtle: SubtleCrypto
  constructor() {
    throw new TypeError('Illegal constructor')
  }
  get [Symbol.toStringTag]() {
    return 'Crypto'
  }
  randomUUID(): string {
    return String(scope().call('uuid').head)
  }
  getRandomValues<T extends ArrayBufferView>(array: T): T {
    const bytes = bytesOf(array)
    if (!bytes || !/^(Uint8Clamped|(Big)?(Ui|I)nt\d+)Array$/.test(Object.prototype.toString.call(array).slice(8, -1))) {
      throw new DOMException('The argument must be a typed array of integers.', 'TypeMismatchError')
    }
    if (bytes.length > 65_536) throw new DOMException('At most 65,536 bytes at once.', 'QuotaExceededError')
    bytes.set(fromBase64(scope().call('random', bytes.length).bytes))
    return array
  }
}
Object.defineProperty(Crypto.prototype, 'subtle', { value: Object.create(SubtleCrypto.prototype), configurable: true })

export const crypto: Crypto = Object.create(Crypto.prototype)
