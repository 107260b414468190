import { LimitExceeded, Terminated } from '../../errors.ts'
import { newId } from '../../lib/ids.ts'
import type { Peers } from '../../platform/peers.ts'

export type Transport = 'WEBSOCKET' | 'SSE'

/** A subscription that somebody has, as all nodes are told of it. */
export type RunningSubscription = {
  id: string
  operationName: string | null
  transport: Transport
  actorKind: string
  actorId: string | null
  sessionId: string | null
  ip: string
  userAgent: string
  node: string
  since: string
}

/** Whose it is: of a context, what matters here. */
type Who = { actor: { kind: string; id: string; sessionId?: string } | null }
type Told = Record<'add' | 'delete', (tell: (renewed: Who) => void) => unknown>
type Listener = Who & {
  projectId: string
  client: { ip: string; userAgent: string }
  clock: () => Date
  renewals?: Told
}

/** The subscriptions of this node. */
export type Running = {
  /** Tells all nodes of one, until `end` is called; `stop` is what ends it from outside. Throws LimitExceeded. */
  begin: (listener: Listener, asked: Asked, stop: (reason: Terminated) => void) => { end: () => void }
  close: () => void
}

type Asked = { operationName: string | null; transport: Transport }

/** Most subscriptions of one project on one node. */
export const projectSubscriptions = 50_000

export const groupOf = (projectId: string) => `subscriptions:${projectId}`
export const terminations = 'terminations'

export function createRunning(peers: Peers, most = projectSubscriptions): Running {
  const stops = new Map<string, (reason: Terminated) => void>()
  const counts = new Map<string, number>()
  const listening = peers.listen(terminations, (message) => {
    const { ids } = message as { ids: string[] }
    for (const id of ids) stops.get(id)?.(new Terminated('Whoever runs the project has ended this subscription.'))
  })
  const count = (projectId: string, by: number) => {
    const left = (counts.get(projectId) ?? 0) + by
    if (left > most) throw new LimitExceeded(`A project has at most ${most} subscriptions on a node.`)
    if (left === 0) counts.delete(projectId)
    else counts.set(projectId, left)
  }
  const begin: Running['begin'] = (listener, asked, stop) => {
    const { projectId, client, renewals, clock } = listener
    count(projectId, 1)
    const group = groupOf(projectId)
    const id = newId('sub')
    const started = { id, ...asked, ip: client.ip, userAgent: client.userAgent, node: peers.node, since: clock() }
    const show = ({ actor }: Who) => peers.put(group, id, { ...started, ...whoIs(actor) })
    show(listener)
    stops.set(id, stop)
    renewals?.add(show)
    const end = () => {
      if (!stops.delete(id)) return
      renewals?.delete(show)
      count(projectId, -1)
      peers.remove(group, id)
    }
    return { end }
  }
  return { begin, close: () => listening.close() }
}

function whoIs(actor: Who['actor']) {
  return {
    actorKind: actor?.kind ?? 'guest',
    actorId: actor?.id ?? null,
    sessionId: actor?.sessionId ?? null,
  }
}
