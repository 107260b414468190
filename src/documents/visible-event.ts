import type { Context } from '../context.ts'
import type { LoggedEvent } from '../logged-event.ts'
import { isOperator } from '../modules/operators/operators.ts'
import { scopesOf } from '../modules/permissions/roles.ts'
import type { DocumentPayload } from './events.ts'
import type { Image } from './image.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { holderOf, mayRead, mayUse } from './permissions.ts'

/** An event as one caller may know it. */
export type VisibleEvent = { payload: unknown; actor: { kind: string; id: string | null } | null }

/**
 * What of an event its subscriber is told, null for nothing. Whoever runs the project is told all of it, a key of
 * documents only if it may read them. Users and guests are told of the documents that they may read before or after, and
 * of their own account; of who did it, only if it was they.
 */
export async function visibleEvent(
  event: LoggedEvent,
  ctx: Context,
  modelOf: () => Promise<ProjectModel>,
): Promise<VisibleEvent | null> {
  const { type, payload, actorKind, actorId } = event
  const isOfDocument = type.startsWith('documents.')
  if (isOperator(ctx)) {
    if (isOfDocument && scopesOf(ctx)?.has('documents.read') === false) return null
    return { payload, actor: { kind: actorKind, id: actorId } }
  }
  const own = isOfDocument ? documentPayload(await modelOf(), ctx, payload as Logged) : accountPayload(event, ctx)
  const isTheirs = actorId !== null && actorId === ctx.actor?.id
  return own && { payload: own, actor: isTheirs ? { kind: actorKind, id: actorId } : null }
}

const ofAccounts: ReadonlySet<string> = new Set(['users', 'sessions', 'verifications'])

function accountPayload({ type, payload }: LoggedEvent, { actor }: Context): object | null {
  const own = payload as { userId?: string }
  return actor?.kind === 'user' && ofAccounts.has(type.slice(0, type.indexOf('.'))) && own.userId === actor.id
    ? own
    : null
}

type Logged = Omit<DocumentPayload, 'before' | 'after'> & { before: Image | null; after: Image | null }

function documentPayload(
  model: ProjectModel,
  ctx: Context,
  { before, after, changed, ...place }: Logged,
): object | null {
  const collection = model.collections.get(place.collectionId)
  if (!collection) return null
  const fields = (image: Image | null) => (image && mayRead(collection, holderOf(ctx).read, image) ? image : null)
  const [was, is] = [fields(before), fields(after)]
  if (!was && !is) return null
  const readable = readableColumns(collection, ctx)
  const told = (image: Image | null) =>
    image && Object.fromEntries(readable.map(({ key, name }) => [key, image[name] ?? null]))
  const names = new Set(readable.map(({ key }) => key))
  return { ...place, before: told(was), after: told(is), changed: changed.filter((key) => names.has(key)) }
}

/** Relations are left out: an id would tell of a document that may not be theirs to read. */
function readableColumns({ columns }: CollectionModel, ctx: Context) {
  const { roles } = holderOf(ctx).read
  return [...columns.values()].filter(({ encrypted, rights }) => !encrypted && mayUse(rights, 'read', roles))
}
