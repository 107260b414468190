import type { Env } from '../../env.ts'
import { sign, verifySignature } from '../../lib/secrets.ts'

/** What the token of a run says: it is signed, and kept nowhere. */
export type RunClaims = {
  projectId: string
  functionId: string
  executionId: string
  /** How many runs have led to this one. */
  depth: number
  /** The session of the user that it acts for; null: the function acts for itself. */
  sessionId: string | null
  /** Milliseconds since 1970. */
  expiresAt: number
}

type Packed = [string, string, string, number, string | null, number]

/** Opens the project's API, for a run that is under way. */
export function signRunToken({ SECRET_KEYS }: Pick<Env, 'SECRET_KEYS'>, claims: RunClaims): string {
  const [key] = SECRET_KEYS
  if (!key) throw new Error('There is no key to sign with.')
  const { projectId, functionId, executionId, depth, sessionId, expiresAt } = claims
  const packed: Packed = [projectId, functionId, executionId, depth, sessionId, expiresAt]
  const text = Buffer.from(JSON.stringify(packed)).toString('base64url')
  return `run_${text}.${sign(key, 'run', text)}`
}

/** What a token says, if it is one of ours and not over. */
export function readRunToken({ SECRET_KEYS }: Pick<Env, 'SECRET_KEYS'>, token: string, now: Date): RunClaims | null {
  const [, text, signature] = /^run_([\w-]+)\.([\w-]+)$/.exec(token) ?? []
  if (!text || !signature || !SECRET_KEYS.some((key) => verifySignature(key, 'run', text, signature))) return null
  const [projectId, functionId, executionId, depth, sessionId, expiresAt]: Packed = JSON.parse(
    Buffer.from(text, 'base64url').toString(),
  )
  if (expiresAt <= now.getTime()) return null
  return { projectId, functionId, executionId, depth, sessionId, expiresAt }
}
