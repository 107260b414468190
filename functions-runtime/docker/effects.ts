/** What a function in a container asks of the world goes through the broker, like that of one in an isolate. */
import type { EffectAnswer, Perform } from '../engine.ts'
import { limits } from '../isolate/messages.ts'
import type { RunFrame } from '../protocol.ts'
import type { Container } from './container.ts'
import type { FromShim } from './frames.ts'

export type Asked = Extract<FromShim, { kind: 'graphql' | 'fetch' }>

/** Does what is asked, as many at once as a run may, and tells the container how that went. */
export function effectsOf(run: RunFrame, container: Container, perform: Perform, signal: AbortSignal) {
  let ordinal = 0
  let running = 0
  return async (asked: Asked, body: Buffer): Promise<void> => {
    const { call } = asked
    if (running >= limits.effects) return refuse(container, call, new Error('Too many calls at once.'))
    ordinal += 1
    running += 1
    try {
      const answer = await perform(run, ordinal, { op: asked.kind, head: headOf(asked), body }, signal)
      if (!signal.aborted) reply(container, asked, answer)
    } catch (error) {
      if (!signal.aborted) refuse(container, call, error)
    } finally {
      running -= 1
    }
  }
}

function headOf(asked: Asked): object {
  if (asked.kind === 'graphql') return { query: String(asked.query), variables: asked.variables ?? {} }
  const headers = Object.entries(asked.headers ?? {}).map(([name, value]) => [name, String(value)])
  return { method: String(asked.method), url: String(asked.url), redirect: asked.redirect ?? 'follow', headers }
}

function reply(container: Container, { kind, call }: Asked, { head, body }: EffectAnswer): void {
  if (kind === 'graphql') {
    const text = Buffer.from(JSON.stringify(head))
    container.send({ kind: 'reply', call, error: null, status: 200, headers: {} }, text)
    return
  }
  const { status, headers: pairs } = head as { status: number; headers: [string, string][] }
  const all = Map.groupBy(pairs, ([name]) => name)
  // Cookies have commas in them: several are one value here, a line each, as in answers.
  const joined = (name: string, some: [string, string][]) =>
    some.map(([, value]) => value).join(name === 'set-cookie' ? '\n' : ', ')
  const headers = Object.fromEntries([...all].map(([name, some]) => [name, joined(name, some)]))
  container.send({ kind: 'reply', call, error: null, status, headers }, body)
}

function refuse(container: Container, call: number, error: unknown): void {
  const { name, message } = error instanceof Error ? error : new Error(String(error))
  container.send({ kind: 'reply', call, error: { name, message }, status: 0, headers: {} })
}
