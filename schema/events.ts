import { catalogue } from '../src/event.ts'
import '../src/modules/catalogue.ts'
import { builder } from './builder.ts'

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
    type: t.field({ type: EventType, description: 'Which.', resolve: ({ name }) => name }),
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
