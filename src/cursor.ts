import { createHash } from 'node:crypto'
import { Invalid, ResyncRequired } from './errors.ts'
import { sign, verifySignature } from './lib/secrets.ts'

/** The stream that a cursor is a place in: one project's, in one log. */
export type Stream = { epoch: string; projectId: string }

const purpose = 'cursor'

/** A place in a stream, for the caller to hold: opaque, and signed so that nobody makes one. */
export function encodeCursor(keys: readonly Buffer[], stream: Stream, seq: bigint): string {
  const [key] = keys
  if (!key) throw new Error('There is no key to sign cursors with.')
  const text = `${seq.toString(36)}.${nameOf(stream)}`
  return `${text}.${sign(key, purpose, text)}`
}

/**
 * The seq of a cursor. Throws Invalid for what was never given out, and ResyncRequired for a cursor of another log or
 * project. Whether the log still holds what follows it is for the tail to say.
 */
export function decodeCursor(keys: readonly Buffer[], stream: Stream, cursor: string): bigint {
  const [, seq, name, signature] = /^([0-9a-z]{1,13})\.([\w-]{16})\.([\w-]{43})$/.exec(cursor) ?? []
  const text = `${seq}.${name}`
  const isOurs = signature !== undefined && keys.some((key) => verifySignature(key, purpose, text, signature))
  if (!seq || !isOurs) throw new Invalid('This is not a cursor that was given out here.', ['after'])
  if (name !== nameOf(stream)) throw new ResyncRequired('The cursor belongs to another stream.')
  return parseBase36(seq)
}

function nameOf({ epoch, projectId }: Stream): string {
  return createHash('sha256').update(`${epoch}\0${projectId}`).digest('base64url').slice(0, 16)
}

/** `parseInt` would round what lies beyond 2^53. */
function parseBase36(text: string): bigint {
  return [...text].reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n)
}
