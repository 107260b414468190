import type { Actor } from '../src/context.ts'
import { builder } from './builder.ts'

type Kind = Actor['kind'] | 'guest'

export const ActorKind = builder.enumType('ActorKind', {
  description: 'What somebody is who does something.',
  values: {
    ACCOUNT: { value: 'account', description: 'A member of the project; at `/graphql`, whoever is signed in.' },
    KEY: { value: 'key', description: 'A server, by an API key.' },
    FUNCTION: { value: 'function', description: 'A function that acts for itself.' },
    USER: { value: 'user', description: 'An end user of the project.' },
    GUEST: { value: 'guest', description: 'Somebody who is not signed in.' },
    SYSTEM: { value: 'system', description: 'Tendril itself.' },
  } as const satisfies { [K in Kind as Uppercase<K>]: { value: K; description: string } },
})

/** As events and subscriptions name it. */
export const kindOf = (kind: string) => kind as Kind
