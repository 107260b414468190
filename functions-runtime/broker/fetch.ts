import { LRUCache } from 'lru-cache'
import { createEgress, type Egress } from '../../src/platform/egress.ts'
import type { EffectAnswer } from '../engine.ts'
import type { ToBroker } from './messages.ts'

const tenants = 500
const timeoutMs = 60_000

type Given = Extract<ToBroker, { kind: 'fetch' }>

/** A function's `fetch`. Every tenant has connections of its own: none can take another's. */
export function createFetching(allow: readonly string[]) {
  const egresses = new LRUCache<string, Egress>({ max: tenants, dispose: (egress) => void egress.close() })
  const egressOf = (tenant: string) => {
    const known = egresses.get(tenant)
    if (known) return known
    const made = createEgress(allow)
    egresses.set(tenant, made)
    return made
  }
  return async ({ tenant, head }: Given, body: Buffer, signal: AbortSignal): Promise<EffectAnswer> => {
    const { method, url, headers } = head
    const redirect = head.redirect === 'manual' || head.redirect === 'error' ? head.redirect : 'follow'
    const call = { method: String(method), url: String(url), headers, redirect, body, timeoutMs, signal } as const
    const { body: answer, ...rest } = await egressOf(tenant).fetch(call)
    return { head: rest, body: answer }
  }
}
