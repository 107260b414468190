import {
  type PresenceChange as Change,
  listPresent,
  presenceLimits,
  updatePresence,
  watchPresence,
} from '../src/modules/presence/presence.ts'
import { type PresenceRule as Rule, ruleLimits } from '../src/modules/presence/rules.ts'
import type { Present } from '../src/modules/presence/topics.ts'
import { builder } from './builder.ts'

const access = { audience: ['console', 'client'] } as const

const topicOf =
  'What it is about: 1 to 128 letters, digits, `_`, `.`, `:` and `-`. One that begins with `label:NAME` or `user:ID` is for who has that role, and for those who run the project.'
const whom = 'For everybody who is signed in, unless the rules of the project say otherwise.'
const dataOf = `What to say of yourself, up to ${presenceLimits.dataBytes.toLocaleString('en-US')} bytes.`

const PresenceEntry = builder.objectRef<Present>('PresenceEntry').implement({
  description: 'Somebody who is at a topic, on one device.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names this stay.' }),
    actorId: t.exposeID('actorId', {
      nullable: true,
      description: 'Who: the id of a user, or of an account. Null for a guest.',
    }),
    data: t.expose('data', { type: 'JSON', nullable: true, description: 'What they say of themselves.' }),
    joinedAt: t.field({ type: 'DateTime', description: 'When they came.', resolve: ({ since }) => new Date(since) }),
  }),
})

const PresenceChangeKind = builder.enumType('PresenceChangeKind', {
  description: 'What is told of a topic.',
  values: {
    ALL: { description: 'These are there: instead of all that was told before.' },
    ENTERED: { description: 'These have come.' },
    UPDATED: { description: 'These say something else of themselves.' },
    LEFT: { description: 'These are gone.' },
  },
})

const PresenceChange = builder.objectRef<Change>('PresenceChange').implement({
  description: 'Who is at a topic, or what has changed of it.',
  fields: (t) => ({
    kind: t.expose('kind', { type: PresenceChangeKind, description: 'What is told.' }),
    entries: t.expose('entries', { type: [PresenceEntry], description: 'Of whom it is told.' }),
  }),
})

const topicsOf = 'Of which topics it is: the name of one, in which `*` stands for any text, as `room:*`.'
const joinOf = 'Who may be there, and see who is: roles, as in permissions.'
const readOf = 'Who may only see who is there: roles, as in permissions.'

export const PresenceRule = builder.objectRef<Rule>('PresenceRule').implement({
  description: 'Who may be at topics, and who may see who is.',
  fields: (t) => ({
    topics: t.exposeString('topics', { description: topicsOf }),
    join: t.exposeStringList('join', { description: joinOf }),
    read: t.exposeStringList('read', { description: readOf }),
  }),
})

export const PresenceRuleInput = builder.inputType('PresenceRuleInput', {
  description: `Who may be at topics, and who may see who is. A rule names up to ${ruleLimits.roles} roles for each.`,
  fields: (t) => ({
    topics: t.string({ required: true, description: topicsOf }),
    join: t.stringList({ required: true, description: joinOf }),
    read: t.stringList({ required: true, description: readOf }),
  }),
})

builder.queryField('presence', (t) =>
  t.field({
    type: [PresenceEntry],
    access,
    description: `Who is at a topic now: up to ${presenceLimits.present.toLocaleString('en-US')}. ${whom}`,
    args: { topic: t.arg.string({ required: true, description: topicOf }) },
    resolve: (_root, { topic }, ctx) => listPresent(ctx, topic),
  }),
)

builder.subscriptionFields((t) => ({
  presence: t.field({
    type: PresenceChange,
    access,
    description: `Who is at a topic, and who comes and goes, without being there. ${whom}`,
    args: { topic: t.arg.string({ required: true, description: topicOf }) },
    subscribe: (_root, { topic }, ctx) => watchPresence(ctx, topic),
    resolve: (change) => change,
  }),
  joined: t.field({
    type: PresenceChange,
    access,
    description: `Puts you at a topic for as long as this lasts, and tells who is there, you among them. ${whom}`,
    args: {
      topic: t.arg.string({ required: true, description: topicOf }),
      data: t.arg({ type: 'JSON', description: dataOf }),
    },
    subscribe: (_root, { topic, data }, ctx) => watchPresence(ctx, topic, { value: data ?? null }),
    resolve: (change) => change,
  }),
}))

builder.mutationField('updatePresence', (t) =>
  t.fieldWithInput({
    typeOptions: { description: 'One of your stays, and what you say of yourself there.' },
    type: PresenceEntry,
    access,
    description: 'Says something else of yourself where you are. Guests join anew instead.',
    input: {
      topic: t.input.string({ required: true, description: topicOf }),
      id: t.input.id({ required: true, description: 'Which of your stays.' }),
      data: t.input.field({ type: 'JSON', required: true, description: dataOf }),
    },
    resolve: (_root, { input: { topic, id, data } }, ctx) => updatePresence(ctx, topic, id, data),
  }),
)
