/**
 * Where Linux shares processors out among sessions (autogroup), the niceness of a process counts within its session only: one
 * that loops would get as much as all of the API. A sandbox is a session of its own, which can stand behind others as a whole,
 * and stand up again. Elsewhere nothing happens here.
 */
import { writeFileSync } from 'node:fs'

/** How far behind others: with a third of what they have, or with what they leave. */
export const behind = { somewhat: 5, far: 15 } as const

export type Session = { stand: (nice: number) => void; close: () => void }

/** Whoever is not root may say this ten times in a second, for all sessions together. */
const againMs = 120

export function createSession(pid: number | undefined): Session {
  let told = 0
  let timer: NodeJS.Timeout | undefined
  /** Its number may be another's by then. */
  let isGone = false

  function stand(nice: number): void {
    clearTimeout(timer)
    if (nice === told || isGone) return
    try {
      writeFileSync(`/proc/${pid}/autogroup`, `${nice}`)
      told = nice
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') timer = setTimeout(stand, againMs, nice).unref()
    }
  }

  return {
    stand,
    close() {
      isGone = true
      clearTimeout(timer)
    },
  }
}
