import type { Feed } from '../changes/feed.ts'
import type { Metrics } from '../platform/metrics.ts'

/** Counts a feed while it runs, and what it sends. */
export function counted(feed: Feed, { subscriptions, deliveries }: Metrics): Feed {
  return (sink) => {
    let isOver = false
    const finish = () => {
      if (!isOver) subscriptions.value -= 1
      isOver = true
    }
    subscriptions.value += 1
    const leave = feed({
      ...sink,
      take: (payload) => {
        const isTaken = sink.take(payload)
        if (isTaken) deliveries.value += 1
        return isTaken
      },
      end: (error) => {
        finish()
        sink.end(error)
      },
    })
    return () => {
      finish()
      leave()
    }
  }
}
