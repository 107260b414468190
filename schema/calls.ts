import { builder } from './builder.ts'

export const HeaderInput = builder.inputType('HeaderInput', {
  description: 'A header of a call. Its value is kept encrypted, and never answered.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'E.g. `x-api-key`.' }),
    value: t.string({ required: true, description: 'Printable ASCII, up to 4,096 characters.' }),
  }),
})

export const BasicAuthInput = builder.inputType('BasicAuthInput', {
  description: 'Who calls, for HTTP Basic authentication. Kept encrypted; the password is never answered.',
  fields: (t) => ({
    username: t.string({ required: true, description: '1 to 256 characters, no colon.' }),
    password: t.string({ required: true, description: 'Up to 1,024 characters.' }),
  }),
})

export const Header = builder.objectRef<{ name: string; value: string }>('Header').implement({
  description: 'A header of a request or an answer.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'In small letters.' }),
    value: t.exposeString('value', { description: 'What it says; `***` where that is a secret.' }),
  }),
})
