import type { Actor, Context } from '../context.ts'
import { type Right, rights, rolesOf, scopesOf } from '../modules/permissions/roles.ts'
import { type Image, matches } from './image.ts'
import type { CollectionModel, Column, FieldRights, ProjectModel } from './model.ts'
import { rulesOf } from './rules.ts'
import type { Caller, Roles, Scope } from './scope.ts'
import { defer } from './slots.ts'
import { columnsIn } from './where.ts'
import { join, ownSql } from './where-sql.ts'

/** What a caller brings to every read and to every change of documents. */
export type Holder = { read: Caller; write: Caller }

/** Kinds of callers of one schema: what a schema shows depends on nothing finer. */
export type CallerClass = { kind: 'guest' | 'user' } | { kind: 'all' } | { kind: 'key'; read: boolean; write: boolean }

/** What callers hold does not change while they are the same: it is made once for each that is remembered. */
const holders = new WeakMap<Actor, Holder>()

/** A key is limited by its scopes instead of roles: without a scope it holds none. */
export function holderOf(ctx: Pick<Context, 'actor'>): Holder {
  const { actor } = ctx
  const holder = (actor && holders.get(actor)) ?? makeHolder(ctx)
  if (actor) holders.set(actor, holder)
  return holder
}

function makeHolder(ctx: Pick<Context, 'actor'>): Holder {
  const { actor } = ctx
  const userId = actor?.kind === 'user' ? actor.id : null
  const scopes = scopesOf(ctx)
  if (scopes) {
    return {
      read: { roles: scopes.has('documents.read') ? null : [], userId },
      write: { roles: scopes.has('documents.write') ? null : [], userId },
    }
  }
  const caller = { roles: rolesOf(ctx), userId }
  return { read: caller, write: caller }
}

export function classOf(ctx: Pick<Context, 'actor'>): CallerClass {
  const scopes = scopesOf(ctx)
  if (scopes) return { kind: 'key', read: scopes.has('documents.read'), write: scopes.has('documents.write') }
  if (ctx.actor?.kind === 'user') return { kind: 'user' }
  return { kind: rolesOf(ctx) === null ? 'all' : 'guest' }
}

const guestRoles = ['any', 'guests']

/** Every right that some caller of this class could hold on something in a collection. */
export function rightsOfClass(caller: CallerClass): (collection: CollectionModel) => ReadonlySet<Right> {
  if (caller.kind !== 'key' && caller.kind !== 'all') {
    const { kind } = caller
    return (collection) => rightsByRoles(collection, kind)
  }
  // The same in all collections.
  const held = new Set(
    rights.filter((right) => caller.kind === 'all' || (right === 'read' ? caller.read : caller.write)),
  )
  return () => held
}

function rightsByRoles(collection: CollectionModel, kind: 'guest' | 'user'): ReadonlySet<Right> {
  const held = rights.filter((right) => {
    const ruled = rulesOf(collection).flatMap((rule) => (rule.right === right ? [rule.role] : []))
    return [...collection.permissions[right], ...ruled].some((role) => isOfClass(role, kind))
  })
  // Documents may grant anything to a user; a guest is shown them only where the collection speaks of guests at all.
  const perDocument = collection.documentPermissions && (kind === 'user' || held.length > 0)
  return new Set(perDocument ? [...held, 'read', 'update', 'delete'] : held)
}

function isOfClass(role: string, kind: 'guest' | 'user'): boolean {
  return kind === 'guest' ? guestRoles.includes(role) : role !== 'guests'
}

/** Whether some caller of this class could read, or set, a field with these rights. */
export function mayClassUse(rights: FieldRights | null, right: keyof FieldRights, caller: CallerClass): boolean {
  if (rights === null || caller.kind === 'all' || caller.kind === 'key') return true
  const { kind } = caller
  return [...rights[right]].some((role) => isOfClass(role, kind))
}

/** Whether this caller may: the answer is the same for all documents. */
export function mayUse(rights: FieldRights | null, right: keyof FieldRights, roles: Roles): boolean {
  return rights === null || roles === null || roles.some((role) => rights[right].has(role))
}

// The one definition: a right is held through the collection, or, where its documents have permissions, through the
// document, or through a rule that the document satisfies.

function throughCollection(collection: CollectionModel, right: Right, roles: Roles): boolean {
  return roles === null || roles.some((role) => collection.permissions[right].has(role))
}

function heldRules(collection: CollectionModel, right: Right, roles: Roles) {
  return rulesOf(collection).filter((rule) => rule.right === right && roles?.includes(rule.role))
}

/** Whether they may read whatever is in the collection, so that no document has to be looked at. */
export function readsAll(collection: CollectionModel, { roles }: Caller): boolean {
  return throughCollection(collection, 'read', roles)
}

/** Whether there are documents that they may read by what is in them. */
export function readsByRule(collection: CollectionModel, { roles }: Caller): boolean {
  return heldRules(collection, 'read', roles).length > 0
}

/** The columns that the rules look at by which they have a right. */
export function ruleColumns(right: Right, collection: CollectionModel, { roles }: Caller): readonly Column[] {
  return heldRules(collection, right, roles).flatMap(({ condition }) => columnsIn(condition))
}

/** Whether they may create documents at all; `createFilter` says which, null for any. */
export function mayCreate(collection: CollectionModel, { roles }: Caller): boolean {
  return throughCollection(collection, 'create', roles) || heldRules(collection, 'create', roles).length > 0
}

/** All statements of one kind of caller have the same text: the roles themselves are a parameter. */
const callersRoles = defer(({ roles }) => arrayText(roles))

/** A list as PostgreSQL reads it. pg makes the same text, in ten times the time, for it has to look for quotes. */
function arrayText(roles: readonly string[]): string | readonly string[] {
  const known = arrayTexts.get(roles) ?? makeArrayText(roles)
  arrayTexts.set(roles, known)
  return known
}

const arrayTexts = new WeakMap<readonly string[], string | readonly string[]>()

function makeArrayText(roles: readonly string[]): string | readonly string[] {
  const text = `{"${roles.join('","')}"}`
  return roles.length > 0 && !roles.some((role) => /["\\]/.test(role)) ? text : roles
}

/** The definition as a condition on the rows of `alias`. What was just created has no permissions of its own that count. */
export function rightFilter(
  right: Right,
  collection: CollectionModel,
  caller: Caller,
  alias: string,
  scope: Pick<Scope, 'param'>,
): string {
  const { roles } = caller
  if (throughCollection(collection, right, roles)) return 'true'
  const own = right !== 'create' && collection.documentPermissions && roles?.length
  const ways = [
    ...(own
      ? [heldByDocument(right, collection, caller, `${alias}."_${right}" && ${scope.param(callersRoles, 'text[]')}`)]
      : []),
    ...heldRules(collection, right, roles).map(({ condition }) => ownSql(scope, condition, alias)),
  ]
  return join(ways, 'or', 'false')
}

/** No index helps to find what is nearly everything, and the planner is to know that it is. */
function heldByDocument(right: Right, collection: CollectionModel, { readsMany }: Caller, overlaps: string): string {
  return right === 'read' && readsMany?.(collection) ? `case when ${overlaps} then true else false end` : overlaps
}

/** By the rights of the scope's caller. Whatever reads a table comes here, so this is where it is noted. */
export function readFilter(scope: Scope, collection: CollectionModel, alias: string): string {
  scope.reads.add(collection)
  return rightFilter('read', collection, scope.caller, alias, scope)
}

/** The definition over a logged row. */
export function mayRead(collection: CollectionModel, { roles, userId }: Caller, image: Image): boolean {
  if (throughCollection(collection, 'read', roles)) return true
  if (collection.documentPermissions && (roles ?? []).some((role) => image._read.includes(role))) return true
  const given = { variables: {}, roles: roles ?? [], userId }
  return heldRules(collection, 'read', roles).some(({ condition }) => matches(condition, image, given))
}

const mentioned = new WeakMap<
  ProjectModel,
  { roles: ReadonlySet<string>; decisive: WeakMap<readonly string[], string> }
>()

/** What of a caller's roles decides how a statement of the project reads: equal texts, equal statements. */
export function decisiveRoles(model: ProjectModel, roles: Roles): string {
  if (roles === null) return '*'
  const deciding = mentioned.get(model) ?? { roles: mentionedRoles(model), decisive: new WeakMap() }
  mentioned.set(model, deciding)
  const known = deciding.decisive.get(roles)
  if (known !== undefined) return known
  const text = roles.filter((role) => deciding.roles.has(role)).join(' ')
  deciding.decisive.set(roles, text)
  return text
}

function mentionedRoles(model: ProjectModel): Set<string> {
  const roles = [...model.collections.values()].flatMap(({ permissions, rules, columns, neighbours }) => [
    ...Object.values(permissions),
    rules.map(({ role }) => role),
    ...[...columns.values(), ...neighbours.values()].flatMap(({ rights }) => (rights ? Object.values(rights) : [])),
  ])
  return new Set(roles.flatMap((some) => [...some]))
}
