/** What the parts of a context share: the way out, and what waits for an answer from there. */
import { type Call, hostError, type Tell } from './channel.ts'

type Answer = { head: unknown; bytes: string }
type Waiting = { resolve: (answer: Answer) => void; reject: (error: unknown) => void }

export type Scope = {
  call: Call
  tell: Tell
  /** Ends the run: something was thrown. */
  fail: (error: unknown) => void
  /** Asks the host for what takes a while. `signal` gives it up. */
  ask: (op: string, head: unknown, bytes?: string) => { answer: Promise<Answer>; cancel: (reason: unknown) => void }
  /** The host's answer to what was asked, or the time of a timer. */
  deliver: (id: number, json: string, bytes: string) => void
  /** Has the host wake this context after so many milliseconds. */
  wake: (ms: number, then: () => void) => number
  forget: (id: number) => void
  /** Is to hear when nobody waits for the answer any more. */
  onLeave: (then: (reason: unknown) => void) => void
  /** Answers whether anybody hears it. */
  leave: (reason: () => unknown) => boolean
}

export function createScope({ call, tell }: Pick<Scope, 'call' | 'tell'>, fail: Scope['fail']): Scope {
  const waiting = new Map<number, Waiting>()
  const timers = new Map<number, () => void>()
  const leaving: ((reason: unknown) => void)[] = []
  let last = 0
  return {
    call,
    tell,
    fail,
    ask(op, head, bytes = '') {
      last += 1
      const id = last
      const answer = new Promise<Answer>((resolve, reject) => waiting.set(id, { resolve, reject }))
      try {
        call(op, { id, head }, bytes)
      } catch (error) {
        waiting.get(id)?.reject(error)
        waiting.delete(id)
      }
      return {
        answer,
        cancel(reason) {
          if (!waiting.has(id)) return
          waiting.get(id)?.reject(reason)
          waiting.delete(id)
          call('cancel', { id })
        },
      }
    },
    deliver(id, json, bytes) {
      const timer = timers.get(id)
      timers.delete(id)
      if (timer) return timer()
      const one = waiting.get(id)
      waiting.delete(id)
      // It was given up while its answer, or its time, was on the way.
      if (!one) return
      const told = JSON.parse(json)
      if (told.error) one.reject(hostError(told.error))
      else one.resolve({ head: told.head, bytes })
    },
    wake(ms, then) {
      last += 1
      call('timer', { id: last, ms })
      timers.set(last, then)
      return last
    },
    forget(id) {
      if (timers.delete(id)) call('cancel', { id })
    },
    onLeave: (then) => void leaving.push(then),
    leave(reason) {
      const heard = leaving.splice(0)
      if (heard.length === 0) return false
      const why = reason()
      for (const one of heard) one(why)
      return true
    },
  }
}

let current: Scope | undefined

/** The modules below are made anew for every context, and belong to its one scope. */
export function setScope(scope: Scope): void {
  current = scope
}

export function scope(): Scope {
  if (!current) throw new Error('There is no run.')
  return current
}
