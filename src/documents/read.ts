import type { Context, TxContext } from '../context.ts'
import { ResyncRequired } from '../errors.ts'
import { countAnswer } from './answer-size.ts'
import { translate } from './faults.ts'
import type { Image } from './image.ts'
import { answerFrom } from './keeping.ts'
import { isLoggedAs } from './logged-as.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { invalidPattern, isInvalidPattern } from './patterns.ts'
import { holderOf, mayUse } from './permissions.ts'
import type { Field, Plan } from './plan.ts'
import type { Roles } from './scope.ts'
import { bind } from './slots.ts'
import { compile, type Root } from './sql.ts'

/** What a root field answers, by response keys; null where there is no such document, or none that the caller may read. */
export async function readDocuments(
  ctx: Context | TxContext,
  model: ProjectModel,
  root: Root,
  maxAge: number | null = null,
): Promise<unknown> {
  const { read } = holderOf(ctx)
  const caller = { ...read, readsMany: ({ table }: CollectionModel) => ctx.readers.many(table, read.roles) }
  const statement = compile(model, caller, root)
  const given = { variables: {}, roles: caller.roles ?? [], userId: caller.userId }
  const bound = bind(statement.values, given)
  try {
    const answer =
      'query' in ctx
        ? await answerIn(ctx, statement.text, bound)
        : await answerFrom(ctx, statement, bound, maxAge, ctx.answered)
    return answer ? JSON.parse(answer) : null
  } catch (error) {
    throw isInvalidPattern(error) ? invalidPattern(root, given) : translate(error, null)
  }
}

async function answerIn(tx: TxContext, text: string, values: unknown[]): Promise<string | undefined> {
  const [row] = await tx.query<{ answer: string }>(text, values)
  countAnswer(tx.answered, row?.answer)
  return row?.answer
}

/**
 * The answer about a row that the caller has before him: just written, or logged. Only its relations are read, and
 * where none is asked for, nothing is.
 */
export async function answerImage(
  ctx: Context | TxContext,
  model: ProjectModel,
  plan: Plan,
  image: Image,
): Promise<unknown> {
  if (plan.fields.some((field) => field.kind === 'column' && !isLoggedAs(field.column, image)))
    throw new ResyncRequired('A field is of another type since this was logged: read the document as it is now.')
  if (plan.fields.some(({ kind }) => kind === 'one' || kind === 'many')) {
    return readDocuments(ctx, model, { kind: 'image', plan, image })
  }
  const { roles } = holderOf(ctx).read
  return Object.fromEntries(plan.fields.map((field) => [field.key, ownField(field, image, roles)]))
}

/** A field that is no relation, as the row holds it. */
export function ownField(field: Field, image: Image, roles: Roles): unknown {
  if (field.kind === 'typename') return field.name
  if (field.kind === 'column') {
    const { name, encrypted, rights } = field.column
    const value = mayUse(rights, 'read', roles) ? (image[name] ?? null) : null
    return encrypted && value !== null ? { id: image._id, ciphertext: value } : value
  }
  if (field.kind !== 'permissions') return null
  const rights = [
    ['READ', image._read],
    ['UPDATE', image._update],
    ['DELETE', image._delete],
  ] as const
  return rights.flatMap(([right, held]) =>
    held.toSorted().map((role) => {
      const values: Readonly<Record<string, string>> = { right, role, __typename: 'Permission' }
      return Object.fromEntries(field.fields.map(({ key, name }) => [key, values[name]]))
    }),
  )
}
