/** Which runs are in an isolate at this moment, and since when: one of them is to blame when the process dies. */
export type Busy = { enter: (id: string) => () => void; now: () => string[] }

const reportAfterMs = 15

export function createBusy(report: (ids: string[]) => void): Busy {
  const since = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let told = ''

  function look(): void {
    const before = performance.now() - reportAfterMs
    const ids = [...since].filter(([, at]) => at <= before).map(([id]) => id)
    const text = ids.join()
    if (text !== told) report(ids)
    told = text
    if (since.size === 0) {
      clearInterval(timer)
      timer = undefined
    }
  }

  return {
    enter(id) {
      since.set(id, performance.now())
      timer ??= setInterval(look, reportAfterMs)
      return () => void since.delete(id)
    },
    now: () => [...since.keys()],
  }
}
