import { LimitExceeded } from '../errors.ts'
import type { Scope } from './scope.ts'
import { defer } from './slots.ts'

/** Most bytes of documents that one operation is answered. */
export const answerBytes = 20_000_000

/** How many bytes of documents an operation has been answered. */
export type Answered = { bytes: number }

export const answerTooLarge = () =>
  new LimitExceeded(
    `An answer has at most ${answerBytes.toLocaleString('en')} bytes of documents: ask for fewer of them, or for less of each.`,
  )

/**
 * The same answer, refused by PostgreSQL where it has more bytes than `most`, which is SQL: what it sends, this process has to hold.
 * `offset 0` keeps PostgreSQL from making the answer once for its length and once more for itself.
 */
export function limitedSql(text: string, most = String(answerBytes)): string {
  return `select case when octet_length(whole.answer) > ${most} then documents.refuse('answer') else whole.answer end as answer from (${text} offset 0) whole`
}

/** The same for a statement that writes: of what earlier ones of the operation have left, for it is kept once it has answered. */
export function limitedWriteSql({ param }: Pick<Scope, 'param'>, text: string): string {
  return limitedSql(text, param(leftBytes, 'int8'))
}

const leftBytes = defer(({ left }) => left ?? answerBytes)

/** Counts an answer among those of its operation, where there is one. Throws once they are too large together. */
export function countAnswer(answered: Answered | undefined, answer: string | null | undefined): void {
  if (!answered || !answer) return
  answered.bytes += Buffer.byteLength(answer)
  requireRoom(answered)
}

/** What has been answered too much already is not asked for more. */
export function requireRoom(answered: Answered | undefined): void {
  if (answered && answered.bytes > answerBytes) throw answerTooLarge()
}

export function bytesLeft(answered: Answered | undefined): number {
  return answerBytes - (answered?.bytes ?? 0)
}
