import { type Context, sqlStatement } from '../context.ts'
import { Conflict, Forbidden, Invalid } from '../errors.ts'
import { fieldsOf, idOfFault, keyOfFault, translate } from './faults.ts'
import { givenSql } from './given-sql.ts'
import { changedRow, type Input, type Path, settablesOf } from './input.ts'
import { type CollectionModel, type ProjectModel, quote } from './model.ts'
import { operatorKind } from './operations.ts'
import { holderOf } from './permissions.ts'
import { openScope } from './scope.ts'

/** What a statement was given, and where it stands in what the caller sent. */
export type Sent = {
  inputs: readonly Input[]
  at: (i: number) => Path
  /** Whether they are of new documents: what they leave out has its default. */
  isNew?: boolean
  /** Fields that are made of what they were. */
  applied?: readonly string[]
  /** Whether an input stands for one id that the caller has sent, and has no fields of its own there. */
  isId?: boolean
}

/** The rows of a statement are counted: `rows.3.title` is the title of the fourth. */
export const rowAt = (i: number): Path => ['rows', `${i}`]

/** What a statement was refused for, in words that the caller may read, with the place of it in what was sent. */
export async function explain(
  ctx: Context,
  { model, collection }: { model: ProjectModel; collection: CollectionModel },
  error: unknown,
  sent: Sent | null,
): Promise<unknown> {
  const { read, write } = holderOf(ctx)
  const { roles } = write
  const told = translate(error, collection, roles, { model, reader: read })
  if (!sent || !(told instanceof Invalid || told instanceof Conflict || told instanceof Forbidden)) return told
  const [root, first, ...rest] = told.at
  const reckoned = isReckoned(error) ? numbersOf(collection, sent.applied ?? []) : []
  if (reckoned.length > 0) return moved(told, reckoned.length === 1 ? ['apply', ...reckoned] : ['apply'])
  if (root === 'rows') return moved(told, [...sent.at(Number(first)), ...rest])
  if (root !== 'input' || told === error) return told
  const keys = keyOfFault(error) ? fieldsOf(error, collection, roles) : [first, ...rest].flatMap((key) => key ?? [])
  // What cannot be looked for any more is told without its place.
  const place = sent.inputs.length === 1 ? 0 : await placeOf(ctx, model, collection, error, sent).catch(() => null)
  return moved(told, pathOf(sent, keys, place))
}

/** A number that cannot be: PostgreSQL does not say of which column. */
function isReckoned(error: unknown): boolean {
  return ['22003', '22012', '2201F'].includes(String((error as { code?: unknown }).code))
}

function numbersOf({ columns }: CollectionModel, keys: readonly string[]): string[] {
  return keys.filter((key) => {
    const column = columns.get(key)
    return column && operatorKind(column) === 'number'
  })
}

function moved(error: Invalid | Conflict | Forbidden, at: Path): Invalid | Conflict | Forbidden {
  if (error instanceof Invalid) return new Invalid(error.message, at)
  return error instanceof Conflict ? new Conflict(error.message, at) : new Forbidden(error.message, at)
}

/** Of several fields the first that was sent. */
function pathOf({ inputs, at, applied, isId }: Sent, keys: readonly string[], place: number | null): Path {
  const input = inputs[place ?? 0] ?? {}
  const set = keys.find((key) => Object.hasOwn(input, key))
  const made = keys.find((key) => applied?.includes(key))
  if (set === undefined && made !== undefined) return ['apply', made]
  const base = place === null ? shared(inputs.map((_, i) => at(i))) : at(place)
  return isId ? base : [...base, ...[set ?? keys[0] ?? []].flat()]
}

/** The part of the input that all of these stand in. */
function shared([first = [], ...others]: readonly Path[]): Path {
  const end = first.findIndex((key, i) => others.some((path) => path[i] !== key))
  return end < 0 ? first : first.slice(0, end)
}

function placeAt(inputs: readonly Input[], id: string): number | null {
  const place = inputs.findIndex((input) => input.id === id)
  return place < 0 ? null : place
}

/**
 * Which of the inputs has the values that PostgreSQL names, where one has. It compares their texts itself, for nobody else
 * writes a value as it does, and looks at nothing but what was sent. Of two that are equal it is the second.
 */
async function placeOf(
  ctx: Context,
  model: ProjectModel,
  collection: CollectionModel,
  error: unknown,
  { inputs, isNew }: Sent,
): Promise<number | null> {
  const id = idOfFault(error)
  if (id !== null) return placeAt(inputs, id)
  const key = keyOfFault(error)
  if (!key) return null
  const settables = settablesOf(collection).filter(({ name }) => key.names.includes(name))
  // Whether they may set them has been asked.
  const writer = { keys: ctx, caller: { roles: null, userId: null }, now: ctx.clock() }
  const rows = inputs.map((input, i) => {
    const given = settables.flatMap(({ key, column }): [string, unknown][] => {
      const value = Object.hasOwn(input, key) ? input[key] : isNew ? column?.default : null
      return value === null || value === undefined ? [] : [[key, value]]
    })
    return { ...changedRow(writer, collection, Object.fromEntries(given), null, []), _id: input.id, _place: i }
  })
  const scope = openScope(model, holderOf(ctx).read)
  const columns = [{ name: '_id', type: 'text' }, ...settables]
  if (!key.names.every((name) => columns.some((column) => column.name === name))) return null
  const values = key.names.map((name) => `g.${quote(name)}`).join(', ')
  const format = key.names.map(() => '%s').join(', ')
  const text = `with ${givenSql(scope, columns, JSON.stringify(rows))}
    select coalesce(json_agg(place)::text, '[]') as answer from (select g."_place" as place from given g
      where format('${format}', ${values}) = ${scope.param(key.value, 'text')} order by 1 limit 2) found`
  const found = await sqlStatement(ctx, async (tx) => tx.query<{ answer: string }>(text, scope.bound()))
  return (JSON.parse(found[0]?.answer ?? '[]') as number[]).at(-1) ?? null
}
