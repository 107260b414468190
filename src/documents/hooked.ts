import type { GraphQLField, GraphQLSchema } from 'graphql'
import type { Context } from '../context.ts'
import { Forbidden } from '../errors.ts'
import { type Asked, decide } from '../modules/executions/decide.ts'
import { type HookTarget, hooksFor } from '../modules/functions/hooks.ts'
import { type Given, madeWithin, readGiven, takeInstead, wholeOf, whyNotInstead, withIds } from './hooked-inputs.ts'
import { isAnswered } from './idempotency.ts'
import type { Input, Path } from './input.ts'
import { requireFew } from './insert-sql.ts'
import { type CollectionModel, collectionOf, type ProjectModel } from './model.ts'
import { type Nested, openReading, readChanged, readNew } from './nested-input.ts'
import { holderOf, mayCreate } from './permissions.ts'
import { type WriteTarget, writeTargetOf } from './root.ts'
import { findTaken, takesAny } from './taken.ts'
import type { Terms } from './writing.ts'

type Args = Readonly<Record<string, unknown>>

/** A change of documents that was asked for, before anything of it is done. */
type Write = { model: ProjectModel; collection: CollectionModel; kind: WriteTarget['kind']; args: Args }

/** Whether any function decides on changes of documents that this project's callers ask for. */
export function isHooked({ hooks }: ProjectModel): boolean {
  return hooks.length > 0
}

/**
 * The arguments of a field that changes documents, once functions have decided on them; as they are where none does. Null for
 * what was done already by this key: nobody has decided on it, so it can only be answered again.
 */
export async function decideField(
  ctx: Context,
  schema: GraphQLSchema,
  field: GraphQLField<unknown, unknown>,
  args: Args,
  idempotencyKey: string | null,
): Promise<Args | null> {
  const model = schema.extensions.model as ProjectModel
  const target = writeTargetOf(field)
  if (!target || !isHooked(model)) return args
  if (idempotencyKey !== null && (await isAnswered(ctx, idempotencyKey))) return null
  return decideWrite(
    ctx,
    { model, collection: collectionOf(model, target.collectionId), kind: target.kind, args },
    field,
  )
}

const actions = {
  create: ['before-create'],
  update: ['before-update'],
  // Nobody knows yet which of the two it comes to.
  upsert: ['before-create', 'before-update'],
  delete: ['before-delete'],
} as const

export function hooksOf({ hooks }: ProjectModel, { id, key, databaseId }: CollectionModel, kind: WriteTarget['kind']) {
  const target: HookTarget = {
    noun: 'documents',
    actions: actions[kind],
    database: [databaseId],
    collection: [key, id],
  }
  return hooksFor(hooks, target)
}

/** Has the functions of a project decide on a change, once for all its documents. Answers its arguments as they are then. */
async function decideWrite(ctx: Context, write: Write, field: GraphQLField<unknown, unknown>): Promise<Args> {
  const { model, collection, kind, args } = write
  if (kind === 'create' && !mayCreate(collection, holderOf(ctx).write))
    throw new Forbidden('You may not create documents here.')
  const { name, inputs, at } = inputsOf(write)
  requireFew(inputs)
  const type = field.args.find((arg) => arg.name === name)?.type
  const roots = inputs.map((input, i) => readGiven(model, collection, type, input, at(i)))
  const { inputs: _inputs, input: _input, set: _set, id, ...terms } = args
  const named = id === undefined ? {} : { ids: [id] }
  if (kind === 'create') await decideBatches(ctx, model, byCollection([...roots, ...roots.flatMap(madeWithin)]))
  else {
    await decideBatch(ctx, model, { collection, kind, given: roots, terms: { ...named, ...terms } })
    await decideBatches(ctx, model, byCollection(roots.flatMap(madeWithin)))
  }
  if (kind === 'delete') return { ...args, told: await decideTaken(ctx, write) }
  await decidePointing(ctx, write, roots)
  if (name === null) return args
  const [first] = roots
  return { ...args, [name]: name === 'inputs' ? roots.map(wholeOf) : first && wholeOf(first) }
}

/** Where the inputs of a change stand. A change of all that match sets the same in each. */
function inputsOf({ kind, args }: Write): { name: string | null; inputs: readonly Input[]; at: (i: number) => Path } {
  if (kind === 'delete') return { name: null, inputs: [], at: () => [] }
  if ('inputs' in args) return { name: 'inputs', inputs: args.inputs as Input[], at: (i) => ['inputs', `${i}`] }
  if ('input' in args) return { name: 'input', inputs: [args.input as Input], at: () => ['input'] }
  if (!args.set) return { name: null, inputs: [], at: () => [] }
  return { name: 'set', inputs: [args.set as Input], at: () => ['set'] }
}

type Batch = { collection: CollectionModel; kind: WriteTarget['kind']; given: readonly Given[]; terms: Args }

function byCollection(given: readonly Given[]): Batch[] {
  const groups = Map.groupBy(given, ({ collection }) => collection)
  return [...groups].map(([collection, some]) => ({ collection, kind: 'create', given: some, terms: {} }))
}

async function decideBatches(ctx: Context, model: ProjectModel, batches: readonly Batch[]): Promise<void> {
  for (const batch of batches) await decideBatch(ctx, model, batch)
}

async function decideBatch(
  ctx: Context,
  model: ProjectModel,
  { collection, kind, given, terms }: Batch,
): Promise<void> {
  const hooks = hooksOf(model, collection, kind)
  if (hooks.length === 0 || (given.length === 0 && (kind === 'create' || kind === 'upsert'))) return
  const asked: Asked = {
    ...askedOf(collection, kind),
    inputs: given.map(({ own }) => own),
    terms,
    at: (i) => given[i]?.at ?? [],
    whyNot: (inputs) => first(given.map((one, i) => whyNotInstead(one, inputs[i]))),
  }
  const fixed = kind === 'create' ? [] : ['id']
  // Each sees what those before it have changed, and what is changed is checked before the next one sees it.
  for (const hook of hooks) {
    const inputs = await decide(ctx, hook, { ...asked, inputs: given.map(({ own }) => own) })
    if (inputs) for (const [i, one] of given.entries()) takeInstead(one, inputs[i] ?? {}, fixed)
  }
}

export function askedOf({ id, key, databaseId }: CollectionModel, kind: WriteTarget['kind']) {
  return { hook: `documents.before-${kind}`, collection: { id, key, databaseId } }
}

function first(reasons: readonly (string | null)[]): string | null {
  return reasons.find((reason) => reason !== null) ?? null
}

/** Documents that are there already are changed where they are made to point elsewhere. That can be refused, not changed. */
async function decidePointing(
  ctx: Context,
  { model, collection, kind }: Write,
  roots: readonly Given[],
): Promise<void> {
  const isHookedAt = (one: CollectionModel) => hooksOf(model, one, 'update').length > 0
  if (![...model.collections.values()].some(isHookedAt)) return
  const made = [...(kind === 'create' ? roots : []), ...roots.flatMap(madeWithin)]
  for (const one of made) withIds(one)
  const reading = openReading(model, holderOf(ctx).write)
  for (const root of roots) {
    const { id, ...set } = wholeOf(root)
    if (kind === 'create') readNew(reading, collection, { ...set, id }, root.at)
    else readChanged(reading, collection, typeof id === 'string' ? id : '', set, root.at)
  }
  for (const told of changesOf(reading.nested)) {
    const { collection: other, inputs, terms, at } = told
    await decideFixed(ctx, model, { collection: other, kind: 'update', inputs, terms, at })
  }
}

type Fixed = Pick<Asked, 'inputs' | 'terms' | 'at'> & { collection: CollectionModel; kind: 'update' | 'delete' }

/** What a change does to other documents can be refused, not changed. */
async function decideFixed(ctx: Context, model: ProjectModel, { collection, kind, ...told }: Fixed): Promise<void> {
  const whyNot = (given: readonly unknown[]) =>
    given.length > 0 ? 'What is changed by another document cannot be given other inputs.' : null
  for (const hook of hooksOf(model, collection, kind)) {
    await decide(ctx, hook, { ...askedOf(collection, kind), ...told, whyNot })
  }
}

/** The field that shows a column which holds ids; the column itself where none does. */
function fieldOf({ neighbours }: CollectionModel, column: string): string {
  const shown = [...neighbours].find(([, { join }]) => join.kind === 'to' && join.column === column)
  return shown?.[0] ?? column
}

/**
 * Documents that a delete takes along, or that lose what points at it, are told to the functions of their collections. What
 * the delete finds beside those when it is made was not decided on: `told` of its terms knows.
 */
async function decideTaken(ctx: Context, { model, collection, args }: Write): Promise<Terms['told']> {
  const kindOf = (column: string | null) => (column === null ? 'delete' : 'update')
  const isHookedAt = (one: CollectionModel, column: string | null) => hooksOf(model, one, kindOf(column)).length > 0
  const isAsked = (one: CollectionModel, onDelete: string) => isHookedAt(one, onDelete === 'CASCADE' ? null : '')
  if (!takesAny(model, collection, isAsked)) return undefined
  const taken = await findTaken(ctx, model, collection, args)
  for (const { collection: other, column, ids } of taken) {
    const inputs = column === null ? [] : ids.map((id) => ({ id, [fieldOf(other, column)]: null }))
    const terms = column === null ? { ids } : {}
    await decideFixed(ctx, model, { collection: other, kind: kindOf(column), inputs, terms, at: () => [] })
  }
  const known = new Set(
    taken.flatMap(({ collection: { id }, column, ids }) => ids.map((one) => `${id} ${column ?? ''} ${one}`)),
  )
  return (collectionId, column, id) => {
    const other = model.collections.get(collectionId)
    // One that goes along may lose what points at it before it does.
    const places = [column ?? '', '']
    return !other || !isHookedAt(other, column) || places.some((at) => known.has(`${collectionId} ${at} ${id}`))
  }
}

type Told = { collection: CollectionModel; inputs: Input[]; terms: Args; at: (i: number) => Path }

function changesOf({ pointing, releases }: Nested): Told[] {
  const named = releases.filter(({ others }) => !others)
  const changes = [
    ...pointing.map(({ collection, key, id, to, at }) => ({ collection, input: { id, [key]: to }, at })),
    ...named.flatMap(({ collection, key, ids }) =>
      ids.map((id) => ({ collection, input: { id, [key]: null }, at: [] as Path })),
    ),
  ]
  const byId = [...Map.groupBy(changes, ({ collection }) => collection)].map(([collection, some]): Told => {
    return { collection, inputs: some.map(({ input }) => input), terms: {}, at: (i) => some[i]?.at ?? [] }
  })
  const others = releases.filter((one) => one.others)
  return [
    ...byId,
    ...others.map(({ collection, key, of, ids }): Told => {
      const where = { [key]: { id: { eq: of } }, id: { notIn: ids } }
      return { collection, inputs: [{ [key]: null }], terms: { where }, at: () => [] }
    }),
  ]
}
