import type { FetchHead } from './broker/messages.ts'
import type { Perform } from './engine.ts'
import type { RemoteCall, RunFrame } from './protocol.ts'

/** Most calls that are told of one run. */
const most = 100
/** The `traceparent` of what is recorded. */
const recorded = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/

type Timed = Omit<RemoteCall, 'agoMs'> & { at: number }

/**
 * Remembers what runs fetch whose trace is recorded. An executor reaches no collector: whoever asked for the run is told at
 * its end, and writes it down. What it asks the API is recorded there.
 */
export function timeCalls(perform: Perform): { perform: Perform; callsOf: (run: RunFrame) => RemoteCall[] } {
  const made = new WeakMap<RunFrame, Timed[]>()
  return {
    perform: async (run, ordinal, effect, signal) => {
      if (effect.op !== 'fetch' || !recorded.test(run.request.headers.traceparent ?? ''))
        return perform(run, ordinal, effect, signal)
      const at = performance.now()
      let status: number | null = null
      try {
        const answer = await perform(run, ordinal, effect, signal)
        status = Number((answer.head as { status?: unknown }).status)
        return answer
      } finally {
        const { method, url } = effect.head as FetchHead
        const calls = made.get(run) ?? []
        made.set(run, calls)
        const host = URL.canParse(url) ? new URL(url).host.slice(0, 255) : ''
        if (calls.length < most)
          calls.push({ at, method: String(method).slice(0, 32), host, status, durationMs: performance.now() - at })
      }
    },
    callsOf: (run) => (made.get(run) ?? []).map(({ at, ...call }) => ({ ...call, agoMs: performance.now() - at })),
  }
}
