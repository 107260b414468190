/**
 * Rings at once, and never twice at a time: whoever wants it rung while it rings has it rung once more afterwards, together
 * with all others. So the last who wanted it is heard, however many there are.
 */
export function createBell(ring: () => Promise<unknown>): () => void {
  let isRinging = false
  let isWanted = false
  const go = async () => {
    isRinging = true
    while (isWanted) {
      isWanted = false
      // A bell that is not heard is no error: whoever listens looks up by himself from time to time.
      await ring().catch(() => {})
    }
    isRinging = false
  }
  return () => {
    isWanted = true
    if (!isRinging) void go()
  }
}
