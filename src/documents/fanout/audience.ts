import { kindOf, type Sides, sidesOf } from '../change.ts'
import { matches } from '../image.ts'
import type { CollectionModel } from '../model.ts'
import type { Caller } from '../scope.ts'
import { createCircle } from './circle.ts'
import { createFilters } from './filters.ts'
import type { Group } from './group.ts'
import type { Change, Circle, Member, Reader, Recipient } from './members.ts'
import { createReaders } from './readers.ts'

/** Who listens to a collection while its permissions stay what they are. */
export type Audience = {
  collection: CollectionModel
  /** Answers how to leave. */
  enter: (group: Group, key: string, caller: Caller, recipient: Recipient) => () => void
  /** Gives a change to those who may read it and have asked for it. */
  dispatch: (change: Change) => void
}

/** What several groups ask for alike. */
type Filter = { where: Group['wanted']['where']; circles: Set<Circle>; others: number; seq: bigint; sides: Sides }

/**
 * Finds from both ends: the filters that a change may match, and the callers whose roles its row names. Whoever reads the
 * whole collection is found by filter alone; of the others the fewer are looked through. The index only says who comes into
 * question: `mayRead` and `matches` decide, once for each caller and for each filter.
 */
export function createAudience(collection: CollectionModel): Audience {
  const index = createFilters<Filter>()
  const filters = new Map<string, Filter>()
  const circles = new Map<string, Circle>()
  const readers = createReaders(collection)
  const filterOf = new Map<Circle, Filter>()

  const sidesFor = (filter: Filter, { event, logged }: Change): Sides => {
    if (filter.seq === event.seq) return filter.sides
    const { where } = filter
    filter.seq = event.seq
    filter.sides = sidesOf(logged, (image) => where === null || matches(where, image))
    return filter.sides
  }
  const open = (group: Group): Circle => {
    const { where, whereKey } = group.wanted
    const circle = createCircle(group)
    const filter = filters.get(whereKey) ?? { where, circles: new Set<Circle>(), others: 0, seq: -1n, sides: neither }
    if (filter.circles.size === 0) index.add(where, filter)
    filters.set(whereKey, filter)
    filter.circles.add(circle)
    circles.set(group.key, circle)
    filterOf.set(circle, filter)
    return circle
  }
  const close = (circle: Circle, filter: Filter) => {
    circles.delete(circle.group.key)
    filterOf.delete(circle)
    filter.circles.delete(circle)
    if (filter.circles.size > 0) return
    filters.delete(circle.group.wanted.whereKey)
    index.remove(filter.where, filter)
  }
  const enter: Audience['enter'] = (group, key, caller, recipient) => {
    const reader = readers.of(key, caller)
    const circle = circles.get(group.key) ?? open(group)
    const filter = filterOf.get(circle)
    const member: Member = { circle, reader, recipient }
    const among = reader.isOpen ? circle.open : circle.others
    among.add(member)
    reader.members.add(member)
    if (filter && !reader.isOpen) filter.others += 1
    return () => {
      if (!among.delete(member) || !filter) return
      reader.members.delete(member)
      if (!reader.isOpen) filter.others -= 1
      if (reader.members.size === 0) readers.drop(reader)
      if (circle.open.size + circle.others.size === 0) close(circle, filter)
    }
  }
  const dispatch = (change: Change) => {
    const found = [...index.find(change.logged)].filter((filter) => {
      const { was, is } = sidesFor(filter, change)
      return was || is
    })
    for (const filter of found)
      for (const circle of filter.circles) for (const member of circle.open) circle.give(member, change, filter.sides)
    const visible = readers.find(change.logged)
    const fewer = sum(visible.keys(), ({ members }) => members.size) < sum(found, ({ others }) => others)
    if (fewer) toReaders(visible, change)
    else toOthers(found, visible, change)
  }
  const toReaders = (visible: ReadonlyMap<Reader, Sides>, change: Change) => {
    for (const [reader, sides] of visible)
      for (const member of reader.members) {
        const filter = filterOf.get(member.circle)
        if (filter) give(member, change, sides, sidesFor(filter, change))
      }
  }
  return { collection, enter, dispatch }
}

function toOthers(filters: readonly Filter[], visible: ReadonlyMap<Reader, Sides>, change: Change): void {
  if (visible.size === 0) return
  for (const { circles, sides } of filters)
    for (const { others } of circles)
      for (const member of others) {
        const theirs = visible.get(member.reader)
        if (theirs) give(member, change, theirs, sides)
      }
}

/** A side of the change is a subscriber's where it is theirs to read and matches what they asked for. */
function give(member: Member, change: Change, theirs: Sides, matching: Sides): void {
  const sides = { was: theirs.was && matching.was, is: theirs.is && matching.is }
  if (kindOf(change.logged, sides) !== null) member.circle.give(member, change, sides)
}

const neither: Sides = { was: false, is: false }

function sum<T>(items: Iterable<T>, of: (item: T) => number): number {
  let total = 0
  for (const item of items) total += of(item)
  return total
}
