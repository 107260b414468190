/** The processes of a run. Each is told what to do by its parent, and ends with it. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export type Part = {
  /** What it said when it was ready. */
  told: { url: string }
  ask: <Answer>(question: object | string) => Promise<Answer>
  stop: () => Promise<void>
}

/** Starts `bench/{file}` and waits until it is ready. */
export async function startPart(
  file: string,
  options: object,
  env: Record<string, string> = {},
  execArgv: readonly string[] = [],
): Promise<Part> {
  const child = fork(join(import.meta.dirname, file), [JSON.stringify(options)], {
    env: { ...process.env, ...env },
    execArgv: [...execArgv],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  const next = <Answer>() => nextMessage<Answer>(child, file)
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    await exited
  }
  const ask = <Answer>(question: object | string) => {
    const answered = next<Answer>()
    child.send(question)
    return answered
  }
  return { told: await next<{ url: string }>(), ask, stop }
}

async function nextMessage<Answer>(child: ChildProcess, file: string): Promise<Answer> {
  const waiting = new AbortController()
  const { signal } = waiting
  try {
    const ended = once(child, 'exit', { signal }).then(() => {
      throw new Error(`${file} ended.`)
    })
    const [message] = await Promise.race([once(child, 'message', { signal }), ended])
    return message as Answer
  } finally {
    waiting.abort()
  }
}

/** The other side: what this process was told, and its end with its parent. */
export function beginPart<Options>(): Options {
  process.on('disconnect', () => process.exit(1))
  process.once('SIGTERM', () => process.exit(0))
  return JSON.parse(process.argv[2] ?? '{}') as Options
}

export function tell(message: object): void {
  process.send?.(message)
}
