import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../api.ts'

const everyMs = 2_000

/** Tells why a runtime cannot run anything at present, and again when that has changed, until `signal`: its builds wait for so long. */
export async function tellWhyUnavailable(
  { request }: Api,
  runtime: string,
  tell: (reason: string) => void,
  signal: AbortSignal,
): Promise<void> {
  type Told = { runtimes: { name: string; unavailableReason: string | null }[] }
  for (let told: string | null = null; !signal.aborted; await sleep(everyMs, undefined, { signal }).catch(() => {})) {
    const { runtimes } = await request<Told>('{ runtimes { name unavailableReason } }')
    const found = runtimes.find(({ name }) => name === runtime)
    const reason = found ? found.unavailableReason : 'No executor of functions has it.'
    if (reason !== null && reason !== told && !signal.aborted) tell(reason)
    told = reason
  }
}
