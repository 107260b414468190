import { GraphQLString } from 'graphql'
import type { Context } from '../../src/context.ts'
import { untilClear } from '../../src/documents/clashes.ts'
import { decideField } from '../../src/documents/hooked.ts'
import { answerOnce, impliedKey, requestHash } from '../../src/documents/idempotency.ts'
import { type WriteTarget, writeExtensions } from '../../src/documents/root.ts'
import type { FieldConfig } from './types.ts'

const idempotencyKey = {
  type: GraphQLString,
  description:
    'The same request with the same key, 1 to 128 printable characters, is done once: within 24 hours it is answered again what it was answered, by any node. CONFLICT for another request. What fails may be tried again. Not for guests.',
}

/**
 * A change of documents as a field: every one comes through here. Functions decide on it before anything else, and it may
 * be asked for again when its answer was lost.
 */
export function changeField(target: WriteTarget, config: FieldConfig): FieldConfig {
  const { args, resolve, extensions } = config
  const resolveOnce: FieldConfig['resolve'] = async (root, { idempotencyKey: key, ...given }, ctx: Context, info) => {
    const asked = () => requestHash(info, given)
    const implied = key == null ? impliedKey(ctx, info.path.key, asked) : key
    const field = info.parentType.getFields()[info.fieldName]
    const decide = async () => (field ? decideField(ctx, info.schema, field, given, implied) : given)
    const before = ctx.decided?.get(String(info.path.key))
    const decided = before === undefined ? await decide() : before
    const change = async (ctx: Context) => {
      if (implied === null) return resolve?.(root, decided ?? given, ctx, info)
      return answerOnce(ctx, implied, asked(), decided && (async (ctx) => resolve?.(root, decided, ctx, info)))
    }
    return ctx.open ? change(ctx) : untilClear(ctx, change)
  }
  return {
    ...config,
    args: { ...args, idempotencyKey },
    extensions: { ...extensions, ...writeExtensions(target) },
    resolve: resolveOnce,
  }
}
