import type { Context, TxContext } from '../context.ts'
import { translate } from './faults.ts'
import type { Image } from './image.ts'
import type { ProjectModel } from './model.ts'
import { holderOf } from './permissions.ts'
import type { Field, Plan } from './plan.ts'
import { compile, type Root } from './sql.ts'

/** What a root field answers, by response keys; null where there is no such document, or none that the caller may read. */
export async function readDocuments(ctx: Context, model: ProjectModel, root: Root): Promise<unknown> {
  const { text, values } = compile(model, holderOf(ctx).read, root)
  try {
    const { rows } = await ctx.sql.query<{ answer: unknown }>(text, values)
    return rows[0]?.answer ?? null
  } catch (error) {
    throw translate(error, null)
  }
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
  if (plan.fields.every(({ kind }) => kind !== 'one' && kind !== 'many')) return ownFields(plan, image)
  const { text, values } = compile(model, holderOf(ctx).read, { kind: 'image', plan, image })
  try {
    const rows =
      'query' in ctx ? await ctx.query<{ answer: unknown }>(text, values) : (await ctx.sql.query(text, values)).rows
    return rows[0]?.answer ?? null
  } catch (error) {
    throw translate(error, null)
  }
}

function ownFields(plan: Plan, image: Image): object {
  return Object.fromEntries(plan.fields.map((field) => [field.key, ownField(field, image)]))
}

function ownField(field: Field, image: Image): unknown {
  if (field.kind === 'typename') return field.name
  if (field.kind === 'column') return image[field.column.name] ?? null
  const rights = [
    ['READ', image._read],
    ['UPDATE', image._update],
    ['DELETE', image._delete],
  ] as const
  return rights.flatMap(([right, roles]) => roles.toSorted().map((role) => ({ right, role })))
}
