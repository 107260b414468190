/** The supervisor's side of the broker: it is started here, again when it ends, and told what to do for which run. */
import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import type { EffectAnswer, Perform } from '../engine.ts'
import { createDecoder, encodeFrame } from '../protocol.ts'
import type { Settings } from '../settings.ts'
import type { FetchHead, FromBroker, GraphqlHead, ToBroker } from './messages.ts'

export type Broker = { perform: Perform; close: () => void }

type Waiting = { resolve: (answer: EffectAnswer) => void; reject: (error: Error) => void }
type Running = { child: ChildProcess; pipe: Duplex; waiting: Map<number, Waiting> }

const main = resolve(import.meta.dirname, 'main.ts')
const longestPauseMs = 5_000
const steadyMs = 10_000

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name })
}

export function createBroker(settings: Settings): Broker {
  let running: Running | null = null
  let isClosed = settings.secret === ''
  let pauseMs = 50
  let last = 0

  function start(): void {
    if (isClosed) return
    const env = { EGRESS_ALLOW: settings.egressAllow, TENDRIL_URL: settings.apiUrl }
    const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] })
    const one: Running = { child, pipe: child.stdio[3] as Duplex, waiting: new Map() }
    const since = Date.now()
    running = one
    listen(one)
    child.once('error', () => {})
    child.once('close', () => {
      if (running === one) running = null
      for (const { reject } of one.waiting.values()) reject(brokenOff())
      pauseMs = Date.now() - since > steadyMs ? 50 : Math.min(pauseMs * 2, longestPauseMs)
      setTimeout(start, pauseMs).unref()
    })
  }

  start()
  return {
    perform(run, ordinal, { op, head, body }, signal) {
      const one = running
      if (!one)
        return Promise.reject(named('UnavailableError', 'Calls out of functions are not possible at the moment.'))
      last += 1
      const id = last
      const { tenant, token, executionId } = run
      const key = `${executionId}:${ordinal}`
      const traceparent = run.request.headers.traceparent ?? null
      const message: ToBroker =
        op === 'fetch'
          ? { kind: 'fetch', id, tenant, head: head as FetchHead }
          : { kind: 'graphql', id, tenant, token, key, traceparent, head: head as GraphqlHead }
      return new Promise<EffectAnswer>((done, fail) => {
        const frame = encodeFrame(message, body)
        one.waiting.set(id, { resolve: done, reject: fail })
        one.pipe.write(frame)
        signal.addEventListener('abort', () => {
          if (one.waiting.delete(id)) one.pipe.write(encodeFrame({ kind: 'giveUp', id }))
          fail(named('AbortError', 'The run has ended.'))
        })
      })
    },
    close() {
      isClosed = true
      running?.child.kill('SIGKILL')
    },
  }
}

const brokenOff = () =>
  named('UnavailableError', 'The call was broken off. Whether it has arrived is not known; it may be tried again.')

function listen({ child, pipe, waiting }: Running): void {
  const decode = createDecoder<FromBroker>()
  pipe.on('error', () => {})
  pipe.on('data', (bytes: Buffer) => {
    try {
      for (const { head, body } of decode(bytes)) {
        if (head.kind === 'ready') continue
        const one = waiting.get(head.id)
        waiting.delete(head.id)
        if (head.kind === 'done') one?.resolve({ head: head.head, body })
        else one?.reject(named(head.error.name, head.error.message))
      }
    } catch {
      child.kill('SIGKILL')
    }
  })
}
