import type { GraphQLResolveInfo } from 'graphql'
import { z } from 'zod'
import { type Context, consoleProjectId } from '../src/context.ts'
import { Forbidden, Invalid } from '../src/errors.ts'
import { type Asked, decide } from '../src/modules/executions/decide.ts'
import { type Hook, hooksFor } from '../src/modules/functions/hooks.ts'
import type { NewUser, UserChanges } from '../src/modules/users/users.ts'
import { modelsOf } from './documents/planned.ts'
import { email, personName } from './inputs.ts'

const told = z.strictObject({ email, name: personName.nullish() })
const toldChanges = z.strictObject({ email: email.optional(), name: personName.optional() })

type Info = Pick<GraphQLResolveInfo, 'schema'>
/** What functions decide on. */
type Changes = Pick<UserChanges, 'email' | 'name'>

const noun = 'users'

/** Has the project's functions decide on a user who is to be. They are not told the password. */
export async function decidedUser(ctx: Context, info: Info, input: NewUser): Promise<NewUser> {
  let user = input
  for (const hook of await hooksOf(ctx, info, 'before-create')) {
    const { email, name } = user
    const inputs = await decide(ctx, hook, askedOf('before-create', { email, name: name ?? '' }))
    if (inputs) user = { ...user, ...checked(told, inputs[0]) }
  }
  return user
}

/** Has them decide on another address and another name of a user who is there. They make nothing else of it than was asked for. */
export async function decidedChanges(ctx: Context, info: Info, id: string, { email, name }: Changes): Promise<Changes> {
  let changes: Changes = { ...(email != null && { email }), ...(name != null && { name }) }
  if (Object.keys(changes).length === 0) return changes
  for (const hook of await hooksOf(ctx, info, 'before-update')) {
    const inputs = await decide(ctx, hook, askedOf('before-update', changes, { ids: [id] }))
    if (!inputs) continue
    const made = checked(toldChanges, inputs[0])
    const more = Object.keys(made).find((key) => !(key in changes))
    if (more) throw wrong(`“${more}” was not to be changed.`, [more])
    changes = made
  }
  return changes
}

/** Functions that decide by its address on who may sign up, and not on changes, are not got round by another address afterwards. */
export async function requireFreeAddress(ctx: Context, info: Info): Promise<void> {
  const changes = await hooksOf(ctx, info, 'before-update')
  const deciding = new Set(changes.map(({ functionId }) => functionId))
  if ((await hooksOf(ctx, info, 'before-create')).some(({ functionId }) => !deciding.has(functionId)))
    throw new Forbidden('Functions decide on addresses here: ask those who run this to change yours.')
}

type Action = 'before-create' | 'before-update'

async function hooksOf({ projectId }: Context, info: Info, action: Action): Promise<Hook[]> {
  if (projectId === consoleProjectId) return []
  const { hooks } = await modelsOf(info).get(projectId)
  return hooksFor(hooks, { noun, actions: [action] })
}

function askedOf(action: Action, input: Changes, terms: Asked['terms'] = {}): Asked {
  return {
    hook: `${noun}.${action}`,
    collection: null,
    inputs: [input],
    terms,
    at: () => ['input'],
    whyNot: () => null,
  }
}

function checked<T>(form: z.ZodType<T>, given: unknown): T {
  const { data, error } = form.safeParse(given)
  if (data) return data
  const [issue] = error?.issues ?? []
  throw wrong(issue?.message, (issue?.path ?? []).map(String))
}

function wrong(why: string | undefined, at: readonly string[]): Invalid {
  return new Invalid(`A function that decides on this has made it wrong: ${why}`, ['input', ...at])
}
