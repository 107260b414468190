import { type Context, sqlTransaction, type TxContext } from '../context.ts'
import { Forbidden, Invalid } from '../errors.ts'
import { absent } from './faults.ts'
import type { Input, Path } from './input.ts'
import { insertSql } from './insert-sql.ts'
import { deleteLinks, insertLinks, type Way } from './links.ts'
import { type CollectionModel, collectionOf, type Neighbour } from './model.ts'
import {
  type Link,
  type Made,
  type Nested,
  openReading,
  type Pointing,
  type Release,
  readChanged,
  readNew,
  type Unlink,
} from './nested-input.ts'
import { holderOf, mayCreate, readFilter } from './permissions.ts'
import { rowAt, type Sent } from './places.ts'
import { openScope, type Scope } from './scope.ts'
import { type Change, readable, updateSql } from './update-sql.ts'
import { join } from './where-sql.ts'
import { answerOf, changing, openWriting, type Place, Refused, readWritten, type Writing } from './writing.ts'

/** What is written in one transaction, whose every statement writes the like of it at once. */
export type Work = { tx: TxContext; ctx: Context; place: Place; made: ReadonlyMap<string, readonly string[]> }

/** Creates documents with all that stands in their inputs; answers what the plan asks of them, in the order of the inputs. */
export async function createNested(
  ctx: Context,
  place: Place,
  inputs: readonly Input[],
  at: (i: number) => Path,
): Promise<unknown[]> {
  const reading = openReading(place.model, holderOf(ctx).write)
  const ids = inputs.map((input, i) => readNew(reading, place.collection, input, at(i)).input.id)
  return changing(ctx, place, sqlTransaction, async (tx) => {
    const work = { tx, ctx, place, made: madeIn(reading.nested) }
    await writeMade(work, reading.nested.made)
    await writeEnds(work, reading.nested)
    return readWritten(tx, place, ids)
  })
}

/** How the document itself is changed, once all else is written: `linked` are its fields whose links are others now. */
export type OwnChange = (writing: Writing, set: Input, linked: readonly string[]) => Change

/** Changes a document with all that stands in its input; answers what the plan asks of it. */
export async function updateNested(
  ctx: Context,
  place: Place,
  { id, set, at, applied }: { id: string; set: Input; at: Path; applied: readonly string[] },
  change: OwnChange,
): Promise<unknown> {
  const { collection, model } = place
  const reading = openReading(model, holderOf(ctx).write)
  const { input } = readChanged(reading, collection, id, set, at)
  const { nested } = reading
  return changing(ctx, place, sqlTransaction, async (tx) => {
    const work = { tx, ctx, place, made: madeIn(nested) }
    await lock(work, collection, id, at)
    const parted = await unlink(work, nested.unlinks)
    for (const one of nested.releases) await release(work, one, at)
    await writeMade(work, nested.made)
    const joined = await writeEnds(work, nested)
    const linked = [...parted, ...joined].flatMap((one) => (one.mine === id ? [one.key] : []))
    const sent = { inputs: [input], at: () => at, applied }
    await writeRows(work, collection, sent, (writing) =>
      updateSql(writing, change(writing, input, [...new Set(linked)]), idsOf),
    )
    const [document] = await readWritten(tx, place, [id])
    return document
  })
}

function madeIn({ made }: Nested): Map<string, readonly string[]> {
  const byCollection = Map.groupBy(made, ({ collection }) => collection.id)
  return new Map([...byCollection].map(([key, some]) => [key, some.map(({ input }) => input.id)]))
}

export const idsOf = (joined: string) =>
  `select to_json(array(select w."_id" ${joined} order by w."_id"))::text as answer`

/** What is not there for the caller is not there at all. Whoever else changes it waits. */
async function lock({ tx, ctx, place }: Work, collection: CollectionModel, id: string, at: Path): Promise<void> {
  const writing = openWriting(ctx, { model: place.model, collection })
  const scope = openScope(place.model, writing.holder.read)
  const condition = join([`t."_id" = ${scope.param(id, 'text')}`, readable({ ...writing, scope }, 't')], 'and', 'true')
  const found = await tx.query(`select 1 from ${collection.table} t where ${condition} for update`, scope.bound())
  if (found.length === 0) throw absent([...at, 'id'])
}

/** Runs one statement on rows that were sent in `sent`. */
export async function writeRows(
  { tx, ctx, place: { model }, made }: Work,
  collection: CollectionModel,
  sent: Sent,
  text: (writing: Writing) => string,
): Promise<string[]> {
  const writing = { ...openWriting(ctx, { model, collection }), made }
  try {
    return await answerOf<string[]>(tx, writing.statement(text(writing)))
  } catch (error) {
    throw new Refused(error, collection, sent)
  }
}

function placesOf(all: readonly { at: Path }[]): (i: number) => Path {
  return (i) => all[i]?.at ?? []
}

/** All of one rank and collection at once. */
async function writeMade(work: Work, made: readonly Made[]): Promise<void> {
  const ranks = [...Map.groupBy(made, ({ rank }) => rank)].sort(([a], [b]) => a - b)
  for (const [, some] of ranks) {
    for (const [collection, ones] of Map.groupBy(some, (one) => one.collection)) {
      if (!mayCreate(collection, holderOf(work.ctx).write)) {
        throw new Forbidden(
          `You may not create documents ${collection === work.place.collection ? 'here' : `of ${collection.key}`}.`,
        )
      }
      const inputs = ones.map(({ input }) => input)
      await writeRows(work, collection, { inputs, at: placesOf(ones), isNew: true }, (writing) =>
        insertSql(writing, inputs, rowAt, (alias) => `to_json(${alias}."_id")::text`),
      )
    }
  }
}

type Changed = { mine: string; key: string }

/** What joins documents that are all there by now; answers whose links are others. */
async function writeEnds(work: Work, { links, pointing }: Nested): Promise<Changed[]> {
  const changed: Changed[] = []
  for (const [{ key }, some] of Map.groupBy(links, ({ neighbour }) => neighbour))
    changed.push(...(await link(work, key, some)))
  const groups = Map.groupBy(pointing, ({ collection, key }) => `${collection.id} ${key}`)
  for (const [, some] of groups) await point(work, some)
  return changed
}

async function link({ tx, ctx, place }: Work, key: string, links: readonly Link[]): Promise<Changed[]> {
  const [first] = links
  if (!first) return []
  const scope = openScope(place.model, holderOf(ctx).read)
  const pairs = links.map(({ mine, theirs, isMade }) => ({ mine, theirs, isSure: isMade }))
  const { changed, missing } = await insertLinks(tx, scope, wayOf(ctx, scope, first.neighbour), pairs)
  if (missing !== null) throw new Invalid('There is no such document.', links[missing]?.at)
  return changed.map((mine) => ({ mine, key }))
}

async function unlink({ tx, ctx, place }: Work, unlinks: readonly Unlink[]): Promise<Changed[]> {
  const changed: Changed[] = []
  for (const { neighbour, mine, ids, others } of unlinks) {
    const scope = openScope(place.model, holderOf(ctx).read)
    const pairs = ids.map((theirs) => ({ mine, theirs }))
    const found = await deleteLinks(tx, scope, wayOf(ctx, scope, neighbour), { mine: [mine], pairs, others })
    changed.push(...found.map((one) => ({ mine: one, key: neighbour.key })))
  }
  return changed
}

/** Links lead to what the caller may read. Whoever may write everything needs to see nothing. */
function wayOf(ctx: Context, scope: Scope, { join: way, collectionId }: Neighbour): Way {
  if (way.kind !== 'link') throw new Error('Only relations to many have links.')
  const collection = collectionOf(scope.model, collectionId)
  const readable = holderOf(ctx).write.roles === null ? 'true' : readFilter(scope, collection, 'r')
  const isThere = (id: string) =>
    `exists (select from ${collection.table} r where ${join([`r."_id" = ${id}`, readable], 'and', 'true')})`
  return { join: way, isThere }
}

/** Documents that point at others from here on: each is changed as if it were asked for by itself. */
async function point(work: Work, pointing: readonly Pointing[]): Promise<void> {
  const [first] = pointing
  if (!first) return
  const { collection, key } = first
  const ids = pointing.map(({ id }) => id)
  const inputs = pointing.map(({ id, to }) => ({ id, [key]: to }))
  const written = await writeRows(work, collection, { inputs, at: placesOf(pointing), isId: true }, (writing) =>
    updateSql(
      writing,
      {
        inputs,
        at: rowAt,
        condition: `t."_id" = any(${writing.scope.param(ids, 'text[]')})`,
        each: true,
        id: null,
        operations: [],
        ifVersion: null,
      },
      idsOf,
    ),
  )
  const there = new Set(written)
  const missing = pointing.find(({ id }) => !there.has(id))
  if (missing) throw new Invalid('There is no such document.', missing.at)
}

async function release(work: Work, { collection, key, of, ids, others }: Release, at: Path): Promise<void> {
  const column = collection.neighbours.get(key)?.join
  if (column?.kind !== 'to') return
  const inputs = [{ [key]: null }]
  await writeRows(work, collection, { inputs, at: () => at, isId: true }, (writing) => {
    const named = `t."_id" = any(${writing.scope.param(ids, 'text[]')})`
    const condition = `t."${column.column.replaceAll('"', '""')}" = ${writing.scope.param(of, 'text')} and ${others ? `not (${named})` : named}`
    return updateSql(
      writing,
      {
        inputs,
        at: () => ['rows'],
        condition,
        each: false,
        id: null,
        operations: [],
        ifVersion: null,
      },
      idsOf,
    )
  })
}
