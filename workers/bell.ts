import type { Pubsub } from '../src/platform/pubsub.ts'

export type Bell = { ring: () => void; hasRung: () => boolean; wait: (ms: number) => Promise<void>; close: () => void }

/** A wait that a message ends. A ring that nobody waits for is remembered. */
export function createBell(pubsub: Pubsub, channel: string): Bell {
  let rung = true
  let wake = () => {}
  const ring = () => {
    rung = true
    wake()
  }
  const hasRung = () => {
    const was = rung
    rung = false
    return was
  }
  const wait = async (ms: number) => {
    if (rung) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  const subscription = pubsub.subscribe(channel, ring)
  return { ring, hasRung, wait, close: subscription.close }
}
