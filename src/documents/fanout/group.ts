import { LRUCache } from 'lru-cache'
import type { Payload } from '../../changes/feed.ts'
import type { Context } from '../../context.ts'
import type { LoggedEvent } from '../../logged-event.ts'
import { changedFields, kindOf, type Logged, type Sides } from '../change.ts'
import { type ChangeField, type ChangePlan, changeJson, type NodeField, type Told } from '../change-plan.ts'
import type { Image } from '../image.ts'
import { broughtBy, compileImages, type ImagesStatement } from '../images-sql.ts'
import type { CollectionModel, ProjectModel } from '../model.ts'
import { decisiveRoles, holderOf, mayUse } from '../permissions.ts'
import { planNow } from '../plan-now.ts'
import type { Caller, Roles } from '../scope.ts'
import type { Condition } from '../where.ts'
import type { Related } from './related.ts'

/** A subscription as it is asked for, whoever asks. */
export type Wanted = {
  /** Equal for the same operation with the same variables, wherever it begins. */
  key: string
  collectionId: string
  where: Condition | null
  /** Equal for equal filters. */
  whereKey: string
  plan: ChangePlan
  /** The response key of its root field. */
  rootKey: string
  /** The JSON of the result as execution makes it: for what has an error to tell. */
  execute: (ctx: Context, told: Told) => Promise<string>
}

/** Subscribers who get the same bytes of whatever rows they share. */
export type Group = {
  key: string
  wanted: Wanted
  /** What those get for whom these sides of a change are. It is a promise where relations are to be read. Never rejects. */
  payload: (event: LoggedEvent, logged: Logged, sides: Sides, cursor: string) => Payload | Promise<Payload> | null
}

/** How a caller sees what is asked for: equal keys, equal bytes. */
export type View = { key: string; plan: ChangePlan; reads: readonly (Read & { brought: readonly (string | null)[] })[] }
type Read = { key: string; statement: ImagesStatement }

/** Views under one schema. */
export type Views = {
  /** By the rights of now: which fields they may read, and, for relations, all that decides what they find there. */
  of: (wanted: Wanted, caller: Caller) => View
}

const mostCompiled = 1_000

export function createViews(model: ProjectModel): Views {
  const compiled = new LRUCache<string, { plan: ChangePlan; reads: readonly Read[] }>({ max: mostCompiled })
  const compile = (wanted: Wanted, caller: Caller) => {
    const plan = wanted.plan.map((one) => (one.kind === 'node' ? { ...one, plan: planNow(model, one.plan) } : one))
    const reads = plan.filter(isRelational).map((field): Read => {
      return { key: field.key, statement: compileImages(model, caller, field.plan) }
    })
    return { plan, reads }
  }
  const of = (wanted: Wanted, caller: Caller): View => {
    const name = `${decisiveRoles(model, caller.roles)}\n${wanted.key}`
    const known = compiled.get(name) ?? compile(wanted, caller)
    compiled.set(name, known)
    const reads = known.reads.map((read) => ({ ...read, brought: broughtBy(read.statement, caller) }))
    const collection = model.collections.get(wanted.collectionId)
    const fields = collection ? readableFields(collection, caller.roles) : ''
    const read = reads.map(({ statement, brought }) => [statement.text, ...brought])
    return { key: JSON.stringify([fields, ...read]), plan: known.plan, reads }
  }
  return { of }
}

function isRelational(field: ChangeField): field is NodeField {
  return field.kind === 'node' && field.plan.fields.some(({ kind }) => kind === 'one' || kind === 'many')
}

/** Of the fields that not everybody may read, which they may. */
function readableFields({ columns, neighbours }: CollectionModel, roles: Roles): string {
  return [...columns.values(), ...neighbours.values()]
    .map(({ rights }) => (rights === null ? '' : mayUse(rights, 'read', roles) ? '1' : '0'))
    .join('')
}

/** `ctx` is one of its subscribers: what they bring decides nothing that is not the same for all. */
export function createGroup(
  ctx: Context,
  collection: CollectionModel,
  wanted: Wanted,
  view: View,
  related: Related,
): Group {
  const { roles } = holderOf(ctx).read
  const [before, after] = [`{"data":{${JSON.stringify(wanted.rootKey)}:`, '}}']
  const write = (told: Told, nodes: ReadonlyMap<string, string>) =>
    toPayload(before + changeJson(view.plan, told, roles, nodes) + after, told)
  const execute = async (told: Told) => {
    const own = { ...told, ctx: { ...told.ctx, answered: { bytes: 0 } } }
    return toPayload(await wanted.execute(ctx, own), told)
  }
  const readAndWrite = async (told: Told, image: Image, seq: bigint) => {
    try {
      const texts = await Promise.all(
        view.reads.map(async ({ key, statement, brought }) => {
          return [key, await related.read(statement, brought, `${seq}`, image)] as const
        }),
      )
      return write(told, new Map(texts))
    } catch {
      return execute(told)
    }
  }
  const payload: Group['payload'] = (event, logged, sides, cursor) => {
    const kind = kindOf(logged, sides)
    if (kind === null) return null
    const image = sides.is ? logged.after : null
    const changed = changedFields(collection, logged, roles)
    const told: Told = { kind, id: logged.id, changedFields: changed, at: event.at, image, ctx, cursor }
    if (image && view.reads.length > 0) return readAndWrite(told, image, event.seq)
    try {
      return write(told, none)
    } catch {
      return execute(told)
    }
  }
  return { key: `${wanted.key}\n${view.key}`, wanted, payload }
}

const none: ReadonlyMap<string, string> = new Map()

function toPayload(json: string, { cursor }: Told): Payload {
  return { json: Buffer.from(json), cursor }
}
