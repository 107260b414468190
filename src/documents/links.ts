import type { TxContext } from '../context.ts'
import { type Join, quote } from './model.ts'
import type { Param } from './param.ts'

export type LinkJoin = Extract<Join, { kind: 'link' }>

/** A pair of documents, as one of its ends has it. `isSure`: nobody has to look whether the other one is there. */
export type Pair = { mine: string; theirs: string; isSure: boolean }

/** A relation to many as one of its ends has it; `isThere` is SQL of which documents at the other end count, by their id. */
export type Way = { join: LinkJoin; isThere: (id: string) => string }

type Statement = { param: Param; bound: () => readonly unknown[] }

type Outcome = { changed: string[]; missing: number | null }

/** Links them. Answers whose links are others now, and the place of the first pair whose other end is not there. */
export async function insertLinks(
  tx: Pick<TxContext, 'query'>,
  { param, bound }: Statement,
  { join, isThere }: Way,
  pairs: readonly Pair[],
): Promise<Outcome> {
  const sent = [
    param(
      pairs.map(({ mine }) => mine),
      'text[]',
    ),
    param(
      pairs.map((pair) => pair.theirs),
      'text[]',
    ),
    param(
      pairs.map(({ isSure }) => isSure),
      'boolean[]',
    ),
  ]
  const [row] = await tx.query<Outcome>(
    `with given as materialized (select * from unnest(${sent.join(', ')}) with ordinality as g (mine, theirs, sure, place)),
      found as (select g.* from given g where g.sure or ${isThere('g.theirs')}),
      written as (insert into ${join.table} (${quote(join.mine)}, ${quote(join.theirs)})
        select mine, theirs from found order by mine, theirs on conflict do nothing returning ${quote(join.mine)} as mine)
      select array(select distinct mine from written) as changed,
        (select min(place)::int - 1 from given where place not in (select place from found)) as missing`,
    bound(),
  )
  return row ?? { changed: [], missing: null }
}

/** Takes links away, of what may be read at their other end: these pairs, or all of `mine` but these. */
export async function deleteLinks(
  tx: Pick<TxContext, 'query'>,
  { param, bound }: Statement,
  { join, isThere }: Way,
  { mine, pairs, others }: { mine: readonly string[]; pairs: readonly Omit<Pair, 'isSure'>[]; others: boolean },
): Promise<string[]> {
  const sent = [
    param(
      pairs.map((pair) => pair.mine),
      'text[]',
    ),
    param(
      pairs.map((pair) => pair.theirs),
      'text[]',
    ),
  ]
  const [left, right] = [`l.${quote(join.mine)}`, `l.${quote(join.theirs)}`]
  const named = `(${left}, ${right}) in (select * from unnest(${sent.join(', ')}))`
  const conditions = [`${left} = any(${param(mine, 'text[]')})`, others ? `not ${named}` : named, isThere(right)]
  const rows = await tx.query<{ mine: string }>(
    `delete from ${join.table} l where ${conditions.join(' and ')} returning ${left} as mine`,
    bound(),
  )
  return [...new Set(rows.map((row) => row.mine))]
}
