/** Tenants whose processes keep dying. They wait before the next, longer each time, and take no spare from others. */
export const forgottenAfterMs = 60_000
const longestPauseMs = 5_000
const free = 2

export function createCrashes() {
  const records = new Map<string, { count: number; at: number }>()

  function recent(key: string): number {
    const record = records.get(key)
    if (record && Date.now() - record.at < forgottenAfterMs) return record.count
    records.delete(key)
    return 0
  }

  return {
    recent,
    keepOn: (key: string) => recent(key) > free,
    add: (key: string) => void records.set(key, { count: recent(key) + 1, at: Date.now() }),
    pause(key: string): Promise<void> {
      const over = recent(key) - free
      const ms = over > 0 ? Math.min(50 * 2 ** over, longestPauseMs) : 0
      return ms === 0 ? Promise.resolve() : new Promise((done) => setTimeout(done, ms))
    },
  }
}
