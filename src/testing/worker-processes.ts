import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { World } from './world.ts'

export type WorkerProcesses = {
  /** Starts one, and answers when it takes jobs. */
  start: () => Promise<ChildProcess>
  /** `kill -9` of the one that was started first. */
  killFirst: () => Promise<void>
  killAll: () => Promise<void>
}

/** Workers in processes of their own, on the servers of a test, so that they can be killed. `env` is added to theirs. */
export function createWorkerProcesses(
  { env: { DATABASE_URL, REDIS_URL } }: World,
  only: string,
  env: Record<string, string> = {},
): WorkerProcesses {
  const running: ChildProcess[] = []
  const given = { PATH: process.env.PATH, SECRET_KEYS: Buffer.alloc(32, 7).toString('base64'), LOG_LEVEL: 'silent' }
  const kill = async (child: ChildProcess | undefined) => {
    if (!child?.kill('SIGKILL')) return
    await once(child, 'exit')
  }
  return {
    start: async () => {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'workers-process.ts'), only], {
        env: { ...given, DATABASE_URL, REDIS_URL, ...env },
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      running.push(child)
      await once(child.stdout, 'data')
      return child
    },
    killFirst: () => kill(running.shift()),
    killAll: async () => {
      for (const child of running.splice(0)) await kill(child)
    },
  }
}
