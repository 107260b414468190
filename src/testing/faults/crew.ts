import type { Process } from './processes.ts'

/** The processes of a run, by kind: each can be killed, and another takes its place. */
export type Crew<Kind extends string, How> = {
  processes: Record<Kind, Process[]>
  /** Ends a process and begins to start another: `whole` waits for it. With SIGTERM it may finish; its exit code is answered. */
  replace: (kind: Kind, index: number, signal: 'SIGKILL' | 'SIGTERM', how?: How) => Promise<number | null>
  /** Resolves when all of them work. */
  whole: () => Promise<void>
  /** How many have ended by themselves; they are started anew. */
  deaths: () => number
}

type Start<Kind, How> = (kind: Kind, index: number, how?: How) => Process

export function createCrew<Kind extends string, How>(processes: Record<Kind, Process[]>, start: Start<Kind, How>) {
  const kinds = Object.keys(processes) as Kind[]
  const all = () => kinds.flatMap((kind) => processes[kind])
  const add = (kind: Kind, index: number, how?: How) => {
    processes[kind][index] = start(kind, index, how)
  }
  const crew: Crew<Kind, How> = {
    processes,
    replace: async (kind, index, signal, how) => {
      const dying = processes[kind][index]
      const code = signal === 'SIGTERM' ? await dying?.stop() : await dying?.kill()
      add(kind, index, how)
      return code ?? null
    },
    whole: async () => {
      await Promise.all(all().map(({ ready }) => ready))
    },
    deaths: () => {
      const dead = kinds.flatMap((kind) =>
        processes[kind].flatMap(({ hasEnded }, index) => (hasEnded() ? [[kind, index] as const] : [])),
      )
      for (const [kind, index] of dead) add(kind, index)
      return dead.length
    },
  }
  const end = async () => {
    await Promise.all(all().map((process) => process.kill()))
  }
  return { ...crew, add, end }
}
