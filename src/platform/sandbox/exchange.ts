import type { FromExecutor } from '../../../functions-runtime/protocol.ts'
import type { Link } from './link.ts'

export type Exchange<T> = {
  link: Link
  id: string
  signal: AbortSignal | undefined
  timeoutMs: number
  /** How long its end is waited for after nobody waits any more; 0: not at all. */
  cancelMs: number
  start: () => void
  /** It cannot be sent, this time or another. */
  tooLarge: () => T
  broken: (reason: string) => T
  given?: (hash: string) => void
  take: (head: FromExecutor, body: Buffer, end: (result: T) => void) => void
}

export const unwanted = 'Nobody waited for it any more.'

/** Sends what is asked, and waits for its end, for the end of the connection, or until nobody waits any more. */
export function exchange<T>(asked: Exchange<T>): Promise<T> {
  const { link, id, signal, timeoutMs, cancelMs, start, tooLarge, broken, given, take } = asked
  return new Promise((resolve) => {
    // They went away while it waited for its turn.
    if (signal?.aborted) return resolve(broken(unwanted))
    const end = (result: T) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      link.forget(id)
      resolve(result)
    }
    const abort = () => {
      link.send({ kind: 'cancel', id })
      // Made now: it tells how long it took.
      const result = broken(unwanted)
      if (cancelMs === 0) return end(result)
      clearTimeout(timer)
      timer = setTimeout(end, cancelMs, result)
    }
    let timer = setTimeout(() => {
      link.send({ kind: 'cancel', id })
      end(broken('Its executor did not answer in time.'))
    }, timeoutMs)
    signal?.addEventListener('abort', abort)
    link.listen(id, {
      take: (head, body) => take(head, body, end),
      given,
      lost: (why) => end(broken(why)),
    })
    try {
      start()
    } catch {
      end(tooLarge())
    }
  })
}
