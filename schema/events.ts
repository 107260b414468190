import { z } from 'zod'
import { needsDocuments } from '../src/changes/needs.ts'
import { type Change, changes } from '../src/changes.ts'
import type { Context } from '../src/context.ts'
import { type VisibleEvent, visibleEvent } from '../src/documents/visible-event.ts'
import { catalogue } from '../src/event.ts'
import { type LoggedEvent as Logged, matchesEvent } from '../src/logged-event.ts'
import '../src/modules/catalogue.ts'
import { namesDocuments, requirePatterns } from '../src/modules/events/patterns.ts'
import { mayUse } from './access.ts'
import { ActorKind, kindOf } from './actors.ts'
import { builder } from './builder.ts'
import { opened } from './changed.ts'
import { modelsOf } from './documents/planned.ts'
import { needsOf } from './needs.ts'

const enumValueOf = (name: string) => name.toUpperCase().replace(/[.-]/g, '_')

const EventType = builder.enumType('EventType', {
  description: 'Every kind of event there is.',
  values: Object.fromEntries(
    [...catalogue.values()].map(({ name, description }) => [
      enumValueOf(name),
      { value: name, description: `\`${name}\`: ${description}` },
    ]),
  ),
})

const EventKind = builder.objectRef<{ name: string; description: string }>('EventKind').implement({
  description: 'A kind of event, as webhooks and functions name it.',
  fields: (t) => ({
    type: t.field({ type: EventType, description: 'Which kind, as a value of an enum.', resolve: ({ name }) => name }),
    name: t.exposeString('name', { description: 'Its short name: `documents.updated`.' }),
    description: t.exposeString('description', { description: 'When it happens.' }),
  }),
})

builder.queryField('eventKinds', (t) =>
  t.field({
    type: [EventKind],
    access: { audience: ['console', 'server'], scope: 'webhooks.read' },
    description: 'Every kind of event that a webhook can be told of.',
    resolve: () => [...catalogue.values()],
  }),
)

const all = { audience: ['console', 'server', 'client'], scope: 'events.read' } as const

const LoggedEvent = builder.objectRef<Change<VisibleEvent>>('LoggedEvent').implement({
  description: 'Something that happened in the project, as you may know it.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'Where to go on after it: give it as `after`.' }),
    id: t.id({ description: 'The same as in webhooks and the audit log.', resolve: ({ event }) => event.id }),
    name: t.string({ description: 'Its full name.', resolve: ({ event }) => event.name }),
    type: t.string({ description: 'Its short name: `documents.updated`.', resolve: ({ event }) => event.type }),
    payload: t.expose('payload', {
      type: 'JSON',
      description:
        'What it says. Of a document, its readable fields before and after, without relations and what is encrypted; whoever runs the project is told all of it.',
    }),
    actorKind: t.field({
      type: ActorKind,
      nullable: true,
      description: 'What kind of caller did it. Null where that is not for you to know.',
      resolve: ({ actor }) => (actor ? kindOf(actor.kind) : null),
    }),
    actorId: t.id({
      nullable: true,
      description: 'The id of the caller who did it: null for a guest, and where that is not for you to know.',
      resolve: ({ actor }) => actor?.id,
    }),
    at: t.field({ type: 'DateTime', description: 'When it happened.', resolve: ({ event }) => event.at }),
  }),
})

/** Most patterns of one subscription. */
const maxPatterns = 20

builder.subscriptionField('events', (t) =>
  t.field({
    type: LoggedEvent,
    access: all,
    description:
      'Events by their names: of the documents that you may read, and of your own account. Whoever runs the project is told of all.',
    args: {
      names: t.arg.stringList({
        required: true,
        validate: z.array(z.string().max(256)).min(1).max(maxPatterns, `These are at most ${maxPatterns} patterns.`),
        description: `1 to ${maxPatterns} patterns: \`documents.*\`, \`users.created\`, a full name with \`*\` for any segment, or \`*\`.`,
      }),
      after: t.arg.string({ description: 'The cursor of the last event that you have; from now on, if left out.' }),
    },
    subscribe: (_root, { names, after }, ctx, info) => {
      requirePatterns(names, ['names'])
      const models = modelsOf(info)
      const select = (event: Logged, caller: Context) =>
        mayUse(caller, all) && names.some((name) => matchesEvent(name, event))
          ? visibleEvent(event, caller, () => models.get(caller.projectId))
          : null
      const needs = new Set([...needsOf(info), ...(names.some(namesDocuments) ? needsDocuments : [])])
      return opened(changes(ctx, { after, needs, select }))
    },
    resolve: (event) => event,
  }),
)
