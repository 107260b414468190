import type { ObjectFieldBuilder, ObjectRef } from '@pothos/core'
import { type Change, type Changes, changes } from '../src/changes.ts'
import type { Context } from '../src/context.ts'
import type { LoggedEvent } from '../src/logged-event.ts'
import { type Access, mayUse } from './access.ts'
import { builder, type SchemaTypes } from './builder.ts'
import { needsOf } from './needs.ts'

type Types = PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>

type Happened = {
  kind: 'CREATED' | 'UPDATED' | 'DELETED'
  id: string
  /** The subscriber as they were when it was delivered: what `node` is read by. */
  ctx: Context
}

type NounChange = Change<Happened>

const ChangeKind = builder.enumType('ResourceChangeKind', {
  description: 'What happened to it.',
  values: {
    CREATED: { description: 'It is new.' },
    UPDATED: { description: 'It, or a part of it, was changed.' },
    DELETED: { description: 'It is gone.' },
  },
})

type Noun = {
  /** The name of its type. */
  type: string
  /** As events name it, and what of it is told as a change of it. */
  noun: string
  parts?: readonly string[]
  /** What holds its id in the payload of its events. */
  idKey: string
  access: Access
  /**
   * Whether the subscriber may know of what the event's payload is about, where `access` lets in who does not see all. It
   * decides without asking the database: there may be a thousand subscribers for one event.
   */
  isVisible?: (ctx: Context, payload: Readonly<Record<string, unknown>>) => boolean
  description: string
  /** The field that reads it again, by what the subscriber may read at that moment. */
  node: (t: ObjectFieldBuilder<Types, NounChange>) => ReturnType<ObjectFieldBuilder<Types, NounChange>['field']>
}

/** `userChanged` and its `UserChange`: the same for every noun. */
export function changedField(noun: Noun): ObjectRef<Types, NounChange, NounChange> {
  const { type, access, description } = noun
  const ref = builder.objectRef<NounChange>(`${type}Change`)
  ref.implement({
    description: `What happened to one ${type}.`,
    fields: (t) => ({
      cursor: t.exposeString('cursor', { description: 'Where to go on after it: give it as `after`.' }),
      kind: t.expose('kind', { type: ChangeKind, description: 'What happened.' }),
      id: t.exposeID('id', { description: 'Which one it happened to.' }),
      event: t.string({ description: "The event's full name.", resolve: ({ event }) => event.name }),
      node: noun.node(t),
      at: t.field({ type: 'DateTime', description: 'When it happened.', resolve: ({ event }) => event.at }),
    }),
  })
  builder.subscriptionField(`${type.charAt(0).toLowerCase()}${type.slice(1)}Changed`, (t) =>
    t.field({
      type: ref,
      access,
      description,
      args: {
        id: t.arg.id({ description: 'Only of this one; of all, if left out.' }),
        after: t.arg.string({ description: 'The cursor of the last change that you have; from now on, if left out.' }),
      },
      subscribe: (_root, { id, after }, ctx, info) => {
        const select = (event: LoggedEvent, caller: Context) => selectChange(noun, event, caller, id ?? null)
        return opened(changes(ctx, { after, needs: needsOf(info), select }))
      },
      resolve: (change) => change,
    }),
  )
  return ref
}

/** Once it cannot miss anything; a stream that cannot begin is refused. */
export async function opened<T>(stream: Changes<T>): Promise<Changes<T>> {
  await stream.opened.catch(async (error) => {
    await stream.return?.()
    throw error
  })
  return stream
}

function selectChange(of: Noun, { type, payload }: LoggedEvent, ctx: Context, wanted: string | null): Happened | null {
  const [noun = '', action] = type.split('.')
  const isWhole = noun === of.noun
  if (!(isWhole || of.parts?.includes(noun)) || !mayUse(ctx, of.access)) return null
  const told = payload as Readonly<Record<string, unknown>>
  const id = told[of.idKey]
  if (typeof id !== 'string' || (wanted !== null && wanted !== id)) return null
  if (of.isVisible && !of.isVisible(ctx, told)) return null
  if (isWhole && action === 'created') return { kind: 'CREATED', id, ctx }
  return { kind: isWhole && action === 'deleted' ? 'DELETED' : 'UPDATED', id, ctx }
}
