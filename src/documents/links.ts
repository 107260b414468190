import type { TxContext } from '../context.ts'
import { type CollectionModel, type Join, quote } from './model.ts'
import { readFilter } from './permissions.ts'
import type { Scope } from './scope.ts'
import { join } from './where-sql.ts'

export type LinkJoin = Extract<Join, { kind: 'link' }>

/** A pair of documents, as one of its ends has it. `isSure`: nobody has to look whether the other one is there. */
export type Pair = { mine: string; theirs: string; isSure: boolean }

/** What the relation's end leads to, and who may read what there. */
export type Ends = { way: LinkJoin; theirs: CollectionModel; isOperator: boolean }

type Outcome = { changed: string[]; missing: number | null }

/** Links them. Answers whose links are others now, and the place of the first pair whose other end is not there. */
export async function insertLinks(
  tx: Pick<TxContext, 'query'>,
  scope: Scope & { bound: () => unknown[] },
  { way, theirs, isOperator }: Ends,
  pairs: readonly Pair[],
): Promise<Outcome> {
  const { param } = scope
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
      found as (select g.* from given g where g.sure or ${isThere(scope, theirs, isOperator, 'g.theirs')}),
      written as (insert into ${way.table} (${quote(way.mine)}, ${quote(way.theirs)})
        select mine, theirs from found order by mine, theirs on conflict do nothing returning ${quote(way.mine)} as mine)
      select array(select distinct mine from written) as changed,
        (select min(place)::int - 1 from given where place not in (select place from found)) as missing`,
    scope.bound(),
  )
  return row ?? { changed: [], missing: null }
}

/** Takes links away, of what may be read at their other end: these pairs, or all of `mine` but these. */
export async function deleteLinks(
  tx: Pick<TxContext, 'query'>,
  scope: Scope & { bound: () => unknown[] },
  { way, theirs, isOperator }: Ends,
  { mine, pairs, others }: { mine: readonly string[]; pairs: readonly Omit<Pair, 'isSure'>[]; others: boolean },
): Promise<string[]> {
  const { param } = scope
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
  const [left, right] = [`l.${quote(way.mine)}`, `l.${quote(way.theirs)}`]
  const named = `(${left}, ${right}) in (select * from unnest(${sent.join(', ')}))`
  const conditions = [
    `${left} = any(${param(mine, 'text[]')})`,
    others ? `not ${named}` : named,
    isThere(scope, theirs, isOperator, right),
  ]
  const rows = await tx.query<{ mine: string }>(
    `delete from ${way.table} l where ${conditions.join(' and ')} returning ${left} as mine`,
    scope.bound(),
  )
  return [...new Set(rows.map((row) => row.mine))]
}

/** Whoever may write everything needs to see nothing. */
function isThere(scope: Scope, collection: CollectionModel, isOperator: boolean, id: string): string {
  const readable = isOperator ? 'true' : readFilter(scope, collection, 'r')
  return `exists (select from ${collection.table} r where ${join([`r."_id" = ${id}`, readable], 'and', 'true')})`
}
