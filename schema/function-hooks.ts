import type { HookRule } from '../src/modules/functions/hooks.ts'
import { hookLimits } from '../src/modules/functions/hooks.ts'
import { builder } from './builder.ts'

const { leastMs, initialMs, mostMs } = hookLimits
const bounds = `${leastMs} to ${mostMs.toLocaleString('en')} ms`

const HookPolicy = builder.enumType('HookPolicy', {
  description: 'What becomes of a change when a function that decides on it does not answer.',
  values: {
    REJECT: { description: 'It is not made: UNAVAILABLE.' },
    ALLOW: { description: 'It is made as if the function had said nothing against it.' },
  },
})

const pattern =
  '`documents.before-create`, `databases.blog.collections.posts.documents.before-update`, `users.before-create`, `users.before-update`; `*` for any part'

export const FunctionHook = builder.objectRef<HookRule>('FunctionHook').implement({
  description: 'What a function decides on before it happens.',
  fields: (t) => ({
    on: t.exposeString('on', { description: `A pattern: ${pattern}.` }),
    deadlineMs: t.exposeInt('deadlineMs', { description: 'How long a change waits for the answer, in milliseconds.' }),
    onMissed: t.expose('onMissed', {
      type: HookPolicy,
      description: 'What becomes of the change when there is no answer.',
    }),
  }),
})

export const FunctionHookInput = builder.inputType('FunctionHookInput', {
  description: 'What a function is to decide on before it happens.',
  fields: (t) => ({
    on: t.string({ required: true, description: `A pattern: ${pattern}.` }),
    deadlineMs: t.int({
      description: `How long a change waits for the answer, ${bounds}; ${initialMs.toLocaleString('en')}, if left out.`,
    }),
    onMissed: t.field({
      type: HookPolicy,
      description: 'What becomes of the change when there is no answer; `REJECT`, if left out.',
    }),
  }),
})
