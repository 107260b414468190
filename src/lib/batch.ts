/**
 * Writes items together: while one write is under way, the next gather, and then go in one. `write` answers one result for
 * each item, in their order. Where a write of several fails and `isOfOne` says that one of them may be to blame, each is
 * written for itself.
 */
export function createBatch<Item, Result>(
  write: (items: readonly Item[]) => Promise<readonly Result[]>,
  { most, isOfOne }: { most: number; isOfOne: (error: unknown) => boolean },
): (item: Item) => Promise<Result> {
  type Waiting = { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void }
  const waiting: Waiting[] = []
  let isWriting = false

  const settle = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const results = await write(batch.map(({ item }) => item))
      for (const [i, { resolve }] of batch.entries()) resolve(results[i] as Result)
    } catch (error) {
      if (batch.length > 1 && isOfOne(error)) for (const one of batch) await settle([one])
      else for (const { reject } of batch) reject(error)
    }
  }
  const run = async () => {
    isWriting = true
    while (waiting.length > 0) await settle(waiting.splice(0, most))
    isWriting = false
  }
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      // Whoever asks in the same turn is still to join.
      if (!isWriting) {
        isWriting = true
        queueMicrotask(() => void run())
      }
    })
}
