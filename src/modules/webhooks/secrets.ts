import { createHmac, randomBytes } from 'node:crypto'
import type { Env } from '../../env.ts'
import { decrypt, encrypt } from '../../lib/secrets.ts'

/** A secret that signs, until when. Null: until it is rotated. */
type Kept = { secret: string; until: string | null }

const overlapMs = 86_400_000

/** In the form that Standard Webhooks gives it. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

export function keepSecret({ SECRET_KEYS }: Pick<Env, 'SECRET_KEYS'>, secret: string): string {
  return encrypt(SECRET_KEYS, JSON.stringify({ secret, until: null } satisfies Kept))
}

/** The kept secrets after a rotation: the new one, and for a day the one before it. */
export function rotateSecrets(
  env: Pick<Env, 'SECRET_KEYS'>,
  kept: readonly string[],
  secret: string,
  now: Date,
): string[] {
  const [previous] = kept
  if (!previous) return [keepSecret(env, secret)]
  const until = new Date(now.getTime() + overlapMs).toISOString()
  const ending: Kept = { secret: open(env, previous).secret, until }
  return [keepSecret(env, secret), encrypt(env.SECRET_KEYS, JSON.stringify(ending))]
}

export function liveSecrets(env: Pick<Env, 'SECRET_KEYS'>, kept: readonly string[], now: Date): string[] {
  const opened = kept.map((text) => open(env, text))
  return opened.filter(({ until }) => until === null || new Date(until) > now).map(({ secret }) => secret)
}

function open({ SECRET_KEYS }: Pick<Env, 'SECRET_KEYS'>, text: string): Kept {
  return JSON.parse(decrypt(SECRET_KEYS, text))
}

/** The headers of Standard Webhooks 1.0.0: one signature for each secret. */
export function signedHeaders(
  secrets: readonly string[],
  message: { id: string; at: Date; body: string },
): Record<string, string> {
  const timestamp = String(Math.floor(message.at.getTime() / 1000))
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    const text = `${message.id}.${timestamp}.${message.body}`
    return `v1,${createHmac('sha256', key).update(text).digest('base64')}`
  })
  return { 'webhook-id': message.id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}
