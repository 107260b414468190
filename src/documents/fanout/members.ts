import type { Payload } from '../../changes/feed.ts'
import type { LoggedEvent } from '../../logged-event.ts'
import type { Logged, Sides } from '../change.ts'
import type { Caller } from '../scope.ts'
import type { Group } from './group.ts'

/** One subscription, as the one who delivers sees it. */
export type Recipient = {
  take: (event: LoggedEvent, payload: Payload) => void
  /** For a payload that is still being made. Answers where it goes then. */
  owe: (event: LoggedEvent) => (payload: Payload) => void
}

export type Member = { circle: Circle; reader: Reader; recipient: Recipient }

/** A change on its way. */
export type Change = { event: LoggedEvent; logged: Logged; cursor: string }

/** A group with its members: those who read all documents of the collection, and the others. */
export type Circle = {
  group: Group
  open: Set<Member>
  others: Set<Member>
  /** Gives a member what those get who see these sides of the change. It is made once. */
  give: (member: Member, change: Change, sides: Sides) => void
}

/** A caller with subscriptions to a collection. */
export type Reader = { key: string; caller: Caller; isOpen: boolean; members: Set<Member> }
