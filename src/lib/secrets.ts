import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hash,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'

/** A bearer secret of 256 random bits whose prefix says what it opens: `ses_…`, `key_…`. */
export function newSecret(prefix: string): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`
}

/** What is kept of a bearer secret. It has 256 random bits, so a plain SHA-256 is enough. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex')
}

/** HMAC-SHA256 in base64url. `purpose` keeps signatures for one use from being valid for another. */
export function sign(key: Buffer, purpose: string, text: string): string {
  return createHmac('sha256', key).update(`${purpose}\0${text}`).digest('base64url')
}

/** Compares in constant time. */
export function verifySignature(key: Buffer, purpose: string, text: string, signature: string): boolean {
  const expected = Buffer.from(sign(key, purpose, text))
  const given = Buffer.from(signature)
  return expected.length === given.length && timingSafeEqual(expected, given)
}

/** AES-256-GCM under the first key of the ring. The text begins with the key's fingerprint, so that the ring can rotate. */
export function encrypt(keys: readonly Buffer[], text: string): string {
  const key = keys[0]
  if (!key) throw new Error('There is no encryption key.')
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return [fingerprint(key), iv.toString('base64url'), body.toString('base64url')].join('.')
}

/** Reverses `encrypt` with whichever key of the ring wrote the text. Throws when none did, or when it was altered. */
export function decrypt(keys: readonly Buffer[], text: string): string {
  const [print, iv, body] = text.split('.')
  const key = keys.find((candidate) => fingerprint(candidate) === print)
  if (!key || !iv || !body) throw new Error('No key of the ring opens this text.')
  const bytes = Buffer.from(body, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64url'))
  decipher.setAuthTag(bytes.subarray(-16))
  return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8')
}

function fingerprint(key: Buffer): string {
  return createHash('sha256').update('fingerprint').update(key).digest('base64url').slice(0, 8)
}
