/** What the processes of a fault run have in common: they are started with options, say how they are, and can be killed. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type App, createApp } from '../../app.ts'
import { readEnv } from '../../env.ts'
import { type PlantedBug, readPlantedBug } from '../planted.ts'

export type PartName = 'api' | 'client' | 'relay' | 'sink'

/** What a process is told. */
export type Options = {
  dir: string
  name: string
  seed: number
  plantedBug: PlantedBug | null
  /** Where the API nodes listen. */
  ports: readonly number[]
}

export type Part = {
  process: ChildProcess
  /** Resolves once it works. */
  ready: Promise<void>
  /** Of a relay: whether it leads. */
  isLeader: () => boolean
  kill: () => Promise<void>
  /** Lets it finish what it does. */
  stop: () => Promise<void>
}

type Message = { ready: true } | { leader: boolean }

export const projects = ['faults-one', 'faults-two'] as const

export function startPart(part: PartName, options: Options, env: Record<string, string>): Part {
  const child = fork(join(import.meta.dirname, `${part}.ts`), [JSON.stringify(options)], {
    env: { ...process.env, ...env, NODE_ENV: 'test' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  let leader = false
  const ready = new Promise<void>((resolve, reject) => {
    child.on('message', (message: Message) => {
      if ('leader' in message) leader = message.leader
      else resolve()
    })
    child.once('exit', () => reject(new Error(`The ${part} ended before it was ready.`)))
  })
  ready.catch(() => {})
  const end = async (signal: NodeJS.Signals) => {
    leader = false
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      // A stopped process takes no other signal before it goes on.
      child.kill('SIGCONT')
    }
    await exited
  }
  return { process: child, ready, isLeader: () => leader, kill: () => end('SIGKILL'), stop: () => end('SIGTERM') }
}

/** The other side: runs `work` until the process is told to stop, or its parent is gone. */
export async function runPart(work: (app: App, options: Options) => Promise<() => Promise<void>>): Promise<void> {
  const options: Options = JSON.parse(process.argv[2] ?? '')
  readPlantedBug(options.plantedBug ?? undefined)
  process.on('disconnect', () => process.exit(1))
  const app = await createApp(readEnv(), options.name)
  const finish = await work(app, options)
  process.once('SIGTERM', async () => {
    await finish()
    await app.close()
    process.exit(0)
  })
  tell({ ready: true })
}

export function tell(message: Message): void {
  process.send?.(message)
}
