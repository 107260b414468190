import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { spawnTied } from '../../servers/lifeline.ts'

/** One of the processes of a run. */
export type Process = {
  name: string
  child: ChildProcess
  /** Resolves once it has said that it works. */
  ready: Promise<void>
  hasEnded: () => boolean
  kill: () => Promise<void>
  /** Tells it to finish, and answers its exit code. */
  stop: () => Promise<number | null>
}

export type Start = {
  name: string
  /** The file that is run, of `root`, which may be an older Tendril. */
  file: string
  root?: string
  env: Record<string, string>
  plantedBug: string | null
  /** What its first lines say when it works. */
  readyWhen: RegExp
  args?: readonly string[]
}

export const repository = join(import.meta.dirname, '../../..')

export function startProcess({ name, file, root = repository, env, plantedBug, readyWhen, args = [] }: Start): Process {
  const plant = ['--import', join(import.meta.dirname, 'plant.ts')]
  // With KILL, since it may be frozen when we end.
  const { child } = spawnTied('KILL', process.execPath, [...plant, file, ...args], {
    cwd: root,
    env: { PATH: process.env.PATH, NODE_ENV: 'test', ...env, ...(plantedBug !== null && { FAULTS_BUG: plantedBug }) },
    stdio: ['ignore', 'pipe', process.env.FAULTS_DEBUG ? 'inherit' : 'ignore'],
  })
  let said = ''
  const ready = new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      if (process.env.FAULTS_DEBUG) process.stderr.write(`${name}: ${chunk}`)
      if (said.length < 10_000) said += chunk
      if (readyWhen.test(said)) resolve()
    })
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it was ready:\n${said}`)))
  })
  ready.catch(() => {})
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const end = async (signal: NodeJS.Signals) => {
    if (!hasEnded()) {
      child.kill(signal)
      // A process that is stopped takes no other signal before it goes on.
      child.kill('SIGCONT')
      await once(child, 'exit')
    }
    return child.exitCode
  }
  return { name, child, ready, hasEnded, kill: async () => void (await end('SIGKILL')), stop: () => end('SIGTERM') }
}
