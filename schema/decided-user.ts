import type { GraphQLResolveInfo } from 'graphql'
import { z } from 'zod'
import { type Context, consoleProjectId } from '../src/context.ts'
import { Forbidden, Invalid } from '../src/errors.ts'
import { type Asked, decide } from '../src/modules/executions/decide.ts'
import { type Hook, hooksFor } from '../src/modules/functions/hooks.ts'
import type { NewUser } from '../src/modules/users/users.ts'
import { modelsOf } from './documents/planned.ts'
import { email, personName } from './inputs.ts'

const told = z.strictObject({ email, name: personName.nullish() })

const noun = 'users'

/** Has the project's functions decide on a user who is to be. They are not told the password. */
export async function decidedUser(
  ctx: Context,
  info: Pick<GraphQLResolveInfo, 'schema'>,
  input: NewUser,
): Promise<NewUser> {
  let user = input
  for (const hook of await hooksOf(ctx, info)) {
    const inputs = await decide(ctx, hook, askedOf(user))
    if (inputs) user = { ...user, ...checked(inputs[0]) }
  }
  return user
}

/** Functions that decide by its address on who may sign up are not got round by another address afterwards. */
export async function requireFreeAddress(ctx: Context, info: Pick<GraphQLResolveInfo, 'schema'>): Promise<void> {
  if ((await hooksOf(ctx, info)).length > 0)
    throw new Forbidden('Functions decide on addresses here: ask those who run this to change yours.')
}

async function hooksOf({ projectId }: Context, info: Pick<GraphQLResolveInfo, 'schema'>): Promise<Hook[]> {
  if (projectId === consoleProjectId) return []
  const { hooks } = await modelsOf(info).get(projectId)
  return hooksFor(hooks, { noun, actions: ['before-create'] })
}

function askedOf({ email, name }: NewUser): Asked {
  return {
    hook: 'users.before-create',
    collection: null,
    inputs: [{ email, name: name ?? '' }],
    terms: {},
    at: () => ['input'],
    whyNot: () => null,
  }
}

function checked(given: unknown): Pick<NewUser, 'email' | 'name'> {
  const { data, error } = told.safeParse(given)
  if (data) return data
  const [issue] = error.issues
  const at = (issue?.path ?? []).map(String)
  throw new Invalid(`A function that decides on this has made it wrong: ${issue?.message}`, ['input', ...at])
}
