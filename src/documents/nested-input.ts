import { Invalid, LimitExceeded } from '../errors.ts'
import { type Input, idOf, isDocumentId, type Path, requireSettable } from './input.ts'
import { type CollectionModel, collectionOf, type Neighbour, type ProjectModel } from './model.ts'
import { backKey, nestedFields } from './nested.ts'
import type { Caller } from './scope.ts'
import { bulkLimit } from './writing.ts'

/** A document that is to be. Those of a lower rank are made before it. */
export type Made = { collection: CollectionModel; input: Input & { id: string }; at: Path; rank: number }

/** A document, there already, that is to point at another one. */
export type Pointing = { collection: CollectionModel; key: string; id: string; to: string; at: Path }

/** Documents that are to point at `of` no more: these, or all but these. */
export type Release = { collection: CollectionModel; key: string; of: string; ids: readonly string[]; others: boolean }

/** Two documents that are to be linked. `isMade`: the other one is made together with the link. */
export type Link = { neighbour: Neighbour; mine: string; theirs: string; isMade: boolean; at: Path }

/** Links of `mine` that are to go: to these, or to all but these. */
export type Unlink = { neighbour: Neighbour; mine: string; ids: readonly string[]; others: boolean }

/** All that the inputs of one call ask for beside the documents that they change. */
export type Nested = { made: Made[]; pointing: Pointing[]; releases: Release[]; links: Link[]; unlinks: Unlink[] }

/** The document that an input is about. What is made has nothing to be parted from. */
type Owner = { collection: CollectionModel; id: string; at: Path; level: number; isMade: boolean }

export type Reading = { model: ProjectModel; caller: Caller; nested: Nested; count: number; pointed: Set<string> }

/** How deep documents stand in each other at most. */
const levels = 10

export function openReading(model: ProjectModel, caller: Caller): Reading {
  const nested = { made: [], pointing: [], releases: [], links: [], unlinks: [] }
  return { model, caller, nested, count: 0, pointed: new Set() }
}

/** Reads the input of a document that is to be, and all that stands in it. */
export function readNew(
  reading: Reading,
  collection: CollectionModel,
  given: Input,
  at: Path,
  level = 1,
  least = 0,
): Made {
  if (level > levels) throw new LimitExceeded(`Documents stand in each other ${levels} levels deep at most.`)
  count(reading, 1)
  const id = idOf(given, at)
  const { input, rank } = readOwn(reading, { collection, id, at, level, isMade: true }, given, least)
  const made = { collection, input: { ...input, id }, at, rank }
  reading.nested.made.push(made)
  return made
}

/** Reads what stands in the input of a document that is there; answers what it sets of that document itself. */
export function readChanged(
  reading: Reading,
  collection: CollectionModel,
  id: string,
  given: Input,
  at: Path,
): { input: Input; links: readonly string[] } {
  count(reading, 1)
  return readOwn(reading, { collection, id, at, level: 1, isMade: false }, given, 0)
}

/** What it points at comes before a document, whatever points at it after it. */
function readOwn(reading: Reading, owner: Owner, given: Input, least: number) {
  const fields = nestedFields(owner.collection)
  const input: Record<string, unknown> = {}
  const asked = Object.entries(given).flatMap(([name, value]) => {
    const field = fields.get(name)
    if (!field) input[name] = value
    else if (value !== undefined && (value !== null || field.kind === 'one')) return [{ name, value, ...field }]
    return []
  })
  let rank = least
  for (const { name, value, kind, neighbour } of asked) {
    requireSettable(neighbour, reading.caller)
    if (kind === 'new' && isGiven(given[neighbour.key])) {
      throw new Invalid(`This and ${neighbour.key} say two things: leave out one.`, [...owner.at, name])
    }
    if (kind !== 'new' || neighbour.join.kind !== 'to') continue
    const made = readNew(reading, otherOf(reading, neighbour), value as Input, [...owner.at, name], owner.level + 1)
    input[neighbour.key] = made.input.id
    rank = Math.max(rank, made.rank + 1)
  }
  for (const { name, value, kind, neighbour } of asked) {
    const place = { ...owner, at: [...owner.at, name] }
    if (kind === 'many') readMany(reading, place, neighbour, value as Input, rank + 1)
    else if (kind === 'one') readOne(reading, place, neighbour, value)
    else if (neighbour.join.kind === 'from') {
      replace(reading, place, neighbour, [])
      readPointing(reading, place, neighbour, value as Input, rank + 1)
    }
  }
  const links = asked.flatMap(({ neighbour: { key, join } }) => (join.kind === 'link' ? [key] : []))
  return { input, rank, links }
}

/** `author: "a1"`, where the relation is the other document's: whichever pointed here before does so no more. */
function readOne(reading: Reading, owner: Owner, neighbour: Neighbour, value: unknown): void {
  const ids = value === null ? [] : idsOf([value], owner.at)
  if (value === null && !owner.isMade) requireFree(reading, neighbour, owner.at)
  replace(reading, owner, neighbour, ids)
  for (const id of ids) point(reading, owner, neighbour, id, owner.at)
}

function replace(reading: Reading, owner: Owner, neighbour: Neighbour, ids: readonly string[]): void {
  // One that cannot be without this document stays, and is the conflict that it is.
  if (!endOf(reading, neighbour).required) release(reading, owner, neighbour, ids, true)
}

function readMany(reading: Reading, owner: Owner, neighbour: Neighbour, given: Input, rank: number): void {
  const { at } = owner
  const isSet = isGiven(given.set)
  if (isSet && (isGiven(given.connect) || isGiven(given.disconnect))) {
    throw new Invalid('This is all of them: leave out connect and disconnect.', [...at, 'set'])
  }
  const name = isSet ? 'set' : 'connect'
  const joined = idsOf(given[name], [...at, name])
  const parted = idsOf(given.disconnect, [...at, 'disconnect'])
  const both = new Set(joined)
  if (parted.some((id) => both.has(id))) {
    throw new Invalid('This names a document that is connected as well.', [...at, 'disconnect'])
  }
  count(reading, parted.length)
  if (isSet) part(reading, { ...owner, at: [...at, 'set'] }, neighbour, joined, true)
  if (parted.length > 0) part(reading, { ...owner, at: [...at, 'disconnect'] }, neighbour, parted, false)
  for (const [i, id] of joined.entries()) join(reading, owner, neighbour, id, [...at, name, `${i}`])
  for (const [i, item] of listOf(given.create).entries()) {
    const place = { ...owner, at: [...at, 'create', `${i}`] }
    if (neighbour.join.kind !== 'link') readPointing(reading, place, neighbour, item, rank)
    else readLinked(reading, place, neighbour, item)
  }
}

function part(reading: Reading, owner: Owner, neighbour: Neighbour, ids: readonly string[], others: boolean): void {
  if (neighbour.join.kind !== 'link') {
    requireFree(reading, neighbour, owner.at)
    release(reading, owner, neighbour, ids, others)
  } else if (!owner.isMade) reading.nested.unlinks.push({ neighbour, mine: owner.id, ids, others })
}

function join(reading: Reading, owner: Owner, neighbour: Neighbour, id: string, at: Path): void {
  if (neighbour.join.kind === 'link') {
    count(reading, 1)
    reading.nested.links.push({ neighbour, mine: owner.id, theirs: id, isMade: false, at })
  } else point(reading, owner, neighbour, id, at)
}

function readLinked(reading: Reading, { id, at, level }: Owner, neighbour: Neighbour, given: Input): void {
  const { input } = readNew(reading, otherOf(reading, neighbour), given, at, level + 1)
  count(reading, 1)
  reading.nested.links.push({ neighbour, mine: id, theirs: input.id, isMade: true, at })
}

/** A document that is to be and to point at its owner. */
function readPointing(reading: Reading, owner: Owner, neighbour: Neighbour, given: Input, rank: number): void {
  const collection = otherOf(reading, neighbour)
  const { key } = backKey(collection, neighbour)
  const fields = [...nestedFields(collection)].flatMap(([name, field]) => (field.neighbour.key === key ? [name] : []))
  const said = [key, ...fields].find((name) => isGiven(given[name]))
  if (said !== undefined)
    throw new Invalid('This is the document that it stands in: leave it out.', [...owner.at, said])
  readNew(reading, collection, { ...given, [key]: owner.id }, owner.at, owner.level + 1, rank)
}

function point(reading: Reading, { id: to }: Owner, neighbour: Neighbour, id: string, at: Path): void {
  const collection = otherOf(reading, neighbour)
  const { key } = backKey(collection, neighbour)
  const name = `${collection.id} ${key} ${id}`
  if (reading.pointed.has(name)) throw new Invalid('This is connected twice, and points at one document only.', at)
  reading.pointed.add(name)
  count(reading, 1)
  reading.nested.pointing.push({ collection, key, id, to, at })
}

function release(
  reading: Reading,
  { id: of, isMade }: Owner,
  neighbour: Neighbour,
  ids: readonly string[],
  others: boolean,
): void {
  if (isMade) return
  const collection = otherOf(reading, neighbour)
  const { key } = backKey(collection, neighbour)
  reading.nested.releases.push({ collection, key, of, ids, others })
}

/** Refuses to part documents from what they cannot be without. */
function requireFree(reading: Reading, neighbour: Neighbour, at: Path): void {
  const { key, required } = endOf(reading, neighbour)
  if (required) throw new Invalid(`What is at the other end cannot be without its ${key}.`, at)
}

function endOf(reading: Reading, neighbour: Neighbour): Neighbour {
  return backKey(otherOf(reading, neighbour), neighbour)
}

function otherOf({ model }: Reading, { collectionId }: Neighbour): CollectionModel {
  return collectionOf(model, collectionId)
}

/** Each once. What can be no id names no document. */
function idsOf(value: unknown, at: Path): string[] {
  if (!isGiven(value)) return []
  const ids = value as unknown[]
  const wrong = ids.findIndex((id) => !isDocumentId(id))
  if (wrong >= 0) throw new Invalid('There is no such document.', at)
  return [...new Set(ids as string[])]
}

function listOf(value: unknown): readonly Input[] {
  return isGiven(value) ? (value as Input[]) : []
}

function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined
}

function count(reading: Reading, some: number): void {
  reading.count += some
  if (reading.count > bulkLimit) throw new LimitExceeded('One call writes at most 10,000 documents and links.')
}
