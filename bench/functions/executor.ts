/** An executor as a process of its own, as in production, and what it and all that it has started hold in memory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export type Executor = { url: string; secret: string; memoryMb: () => Promise<number>; stop: () => Promise<void> }

const main = join(import.meta.dirname, '../../functions-runtime/main.ts')

export async function startExecutor(env: Record<string, string> = {}): Promise<Executor> {
  const secret = 'bench'.repeat(8)
  const child = spawn(process.execPath, ['--no-node-snapshot', main], {
    env: { PATH: process.env.PATH, PORT: '0', EXECUTOR_SECRET: secret, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const url = await urlOf(child, exited)
  return {
    url,
    secret,
    memoryMb: () => memoryOf(child.pid ?? 0),
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}

async function urlOf(child: ChildProcess, exited: Promise<unknown>): Promise<string> {
  const ended = exited.then(() => {
    throw new Error('The executor ended.')
  })
  const [text] = await Promise.race([once(child.stdout ?? child, 'data'), ended])
  const [url] = /http:\S+(?=\/health)/.exec(String(text)) ?? []
  if (!url) throw new Error(`The executor said: ${text}`)
  return url
}

/** What a process and its descendants hold, each page that several of them share counted once (PSS), in MB. */
async function memoryOf(pid: number): Promise<number> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    const stat = /^\d+$/.test(name) ? await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '') : ''
    const parent = /^\d+ \(.*\) \S (\d+)/s.exec(stat)?.[1]
    if (parent) parents.set(Number(name), Number(parent))
  }
  const isOurs = (each: number): boolean => each === pid || (parents.has(each) && isOurs(parents.get(each) ?? 0))
  let sum = 0
  for (const each of parents.keys()) {
    if (!isOurs(each)) continue
    const text = await readFile(`/proc/${each}/smaps_rollup`, 'utf8').catch(() => '')
    sum += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0)
  }
  return sum / 1024
}
