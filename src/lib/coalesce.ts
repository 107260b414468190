/**
 * Runs `run` at once, and never twice at a time: whoever wants it while it runs has it run once more afterwards, together
 * with all others. So the last who wanted it is served, however many there are. What it throws is dropped.
 */
export function coalesce(run: () => Promise<unknown>): () => void {
  let isRunning = false
  let isWanted = false
  const go = async () => {
    isRunning = true
    while (isWanted) {
      isWanted = false
      try {
        await run()
      } catch {}
    }
    isRunning = false
  }
  return () => {
    isWanted = true
    if (!isRunning) void go()
  }
}
