import type { Payload } from '../../changes/feed.ts'
import type { Sides } from '../change.ts'
import type { Group } from './group.ts'
import type { Change, Circle } from './members.ts'

type Made = Payload | Promise<Payload> | null
type Waiting = { payload: Payload | Promise<Payload>; to: ((payload: Payload) => void)[] }

export function createCircle(group: Group): Circle {
  let seq = -1n
  let made: (Made | undefined)[] = []
  /** What is still being made, and all that comes after it. */
  const line: Waiting[] = []

  const make = ({ event, logged, cursor }: Change, sides: Sides): Made => {
    if (seq !== event.seq) made = []
    seq = event.seq
    const at = Number(sides.was) + 2 * Number(sides.is)
    const known = made[at]
    if (known !== undefined) return known
    const payload = group.payload(event, logged, sides, cursor)
    made[at] = payload
    return payload
  }
  const wait = (payload: Payload | Promise<Payload>): Waiting => {
    const last = line.at(-1)
    if (last?.payload === payload) return last
    const waiting: Waiting = { payload, to: [] }
    line.push(waiting)
    if (line.length === 1) void empty()
    return waiting
  }
  const empty = async () => {
    for (let first = line[0]; first; first = line[0]) {
      const payload = await first.payload
      line.shift()
      for (const give of first.to) give(payload)
    }
  }
  const give: Circle['give'] = ({ recipient }, change, sides) => {
    const payload = make(change, sides)
    if (payload === null) return
    if (line.length === 0 && !(payload instanceof Promise)) recipient.take(change.event, payload)
    else wait(payload).to.push(recipient.owe(change.event))
  }
  return { group, open: new Set(), others: new Set(), give }
}
