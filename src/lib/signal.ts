/** Wakes the one who waits. Raised while nobody waits, it is remembered once. */
export type Signal = { raise: () => void; wait: () => Promise<void> }

export function createSignal(): Signal {
  let raised = false
  let wake = () => {}
  const raise = () => {
    raised = true
    wake()
  }
  const wait = async () => {
    if (!raised) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    raised = false
  }
  return { raise, wait }
}
