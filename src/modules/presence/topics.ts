import type { Peers } from '../../platform/peers.ts'

/** Somebody who is at a topic. */
export type Present = { id: string; actorKind: string; actorId: string | null; data: unknown; since: string }

/** Who is at a topic, as this node has it: read again after each word of a change, and every few seconds. */
export type Topic = {
  present: () => ReadonlyMap<string, Present>
  /** Reads it. Throws Unavailable while Redis is away; what was read before stays. */
  refresh: () => Promise<void>
  /** Told when somebody has come, changed or gone. Answers how to stop. */
  watch: (onChange: () => void) => () => void
}

/** For those who died without a word. */
const refreshMs = 3_000
/** The channel on which nodes say that a topic has changed. */
export const channel = 'presence'

type Node = { topics: Map<string, Topic & { watchers: Set<() => void> }>; stop: () => void }
const nodes = new WeakMap<Peers, Node>()

/** The same for all who watch it here, as long as somebody does. */
export function topicOf(peers: Peers, group: string): Topic {
  const node = nodes.get(peers) ?? openNode(peers)
  nodes.set(peers, node)
  const topic = node.topics.get(group) ?? createTopic(peers, group)
  return {
    ...topic,
    watch: (onChange) => {
      node.topics.set(group, topic)
      topic.watchers.add(onChange)
      return () => {
        topic.watchers.delete(onChange)
        if (topic.watchers.size === 0 && node.topics.get(group) === topic) node.topics.delete(group)
        if (node.topics.size > 0 || nodes.get(peers) !== node) return
        nodes.delete(peers)
        node.stop()
      }
    },
  }
}

function openNode(peers: Peers): Node {
  const topics: Node['topics'] = new Map()
  const refresh = (group: string) =>
    void topics
      .get(group)
      ?.refresh()
      .catch(() => {})
  const listening = peers.listen(channel, (message) => refresh((message as { group: string }).group))
  const timer = setInterval(() => [...topics.keys()].forEach(refresh), refreshMs).unref()
  const stop = () => {
    clearInterval(timer)
    listening.close()
  }
  return { topics, stop }
}

function createTopic(peers: Peers, group: string) {
  const watchers = new Set<() => void>()
  let present: ReadonlyMap<string, Present> = new Map()
  const refresh = async () => {
    present = (await peers.list(group)) as Map<string, Present>
    for (const tell of watchers) tell()
  }
  const watch = () => () => {}
  return { watchers, present: () => present, refresh, watch }
}
