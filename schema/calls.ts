import type { Context } from '../src/context.ts'
import { readBasicAuth, readHeaders } from '../src/modules/calls/secrets.ts'
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

/** Headers as they are kept, by name: jsonb does not keep the order that they came in. */
export function headersOf(kept: unknown): { name: string; value: string }[] {
  const headers = Object.entries((kept ?? {}) as Record<string, string>).map(([name, value]) => ({ name, value }))
  return headers.sort((a, b) => (a.name < b.name ? -1 : 1))
}

type Kept<Key extends string> = Readonly<Record<Key, string | null>>

/** What is told of a call's headers. */
export const headerNames = {
  description: 'The headers of yours that are sent, in small letters. What they say is not answered.',
  select: { headers: true },
  resolve: ({ headers }: Kept<'headers'>, _args: object, ctx: Context) => Object.keys(readHeaders(ctx.env, headers)),
} as const

/** What is told of a call's login. */
export const username = {
  nullable: true,
  description: 'Who calls, by HTTP Basic authentication; null without.',
  select: { basicAuth: true },
  resolve: ({ basicAuth }: Kept<'basicAuth'>, _args: object, ctx: Context) =>
    readBasicAuth(ctx.env, basicAuth)?.username ?? null,
} as const

export const verifyTls = {
  description:
    'Whether the certificate of an https address is checked. Where not, anybody on the way can read and change what is sent.',
} as const
