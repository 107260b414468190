import type { FromExecutor, RunFrame } from './protocol.ts'

/** Runs of one caller that have begun before it wrote that down. */
export type Records = {
  /** Called before a run does anything that others see: asks the caller once, and resolves when it is written down. */
  of: (run: Pick<RunFrame, 'id' | 'isRecorded'>) => () => Promise<void>
  answer: (id: string) => void
  forget: (id: string) => void
}

export function createRecords(send: (head: FromExecutor) => void): Records {
  const waiting = new Map<string, () => void>()
  return {
    of({ id, isRecorded = true }) {
      let recorded = isRecorded ? Promise.resolve() : null
      const ask = () =>
        new Promise<void>((resolve) => {
          waiting.set(id, resolve)
          send({ kind: 'record', id })
        })
      return () => {
        recorded ??= ask()
        return recorded
      }
    },
    answer: (id) => waiting.get(id)?.(),
    forget: (id) => void waiting.delete(id),
  }
}
