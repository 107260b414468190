import { hash } from 'node:crypto'
import { type GraphQLResolveInfo, GraphQLString } from 'graphql'
import type { Context } from '../../src/context.ts'
import { answerOnce, requestHash } from '../../src/documents/idempotency.ts'
import { writeExtensions } from '../../src/documents/root.ts'
import type { FieldConfig } from './types.ts'

const idempotencyKey = {
  type: GraphQLString,
  description:
    'The same request with the same key, 1 to 128 printable characters, is done once: within 24 hours it is answered again what it was answered, by any node. CONFLICT for another request. What fails may be tried again. Not for guests.',
}

/**
 * A run of a function that is tried again makes its calls again: the same change at the same place of the same call is
 * made once. Another change there is another: what runs is not bound to do the same twice.
 */
function impliedKey({ run }: Context, { path }: GraphQLResolveInfo, asked: () => string): string | null {
  if (!run?.idempotencyKey) return null
  return `run ${hash('sha256', `${run.executionId} ${run.idempotencyKey} ${path.key} ${asked()}`, 'hex')}`
}

/** A change of documents that may be asked for again when its answer was lost. */
export function onceFor([name, config]: [string, FieldConfig]): [string, FieldConfig] {
  const { args, resolve, extensions } = config
  const resolveOnce: FieldConfig['resolve'] = (root, { idempotencyKey: key, ...given }, ctx, info) => {
    const asked = () => requestHash(info, given)
    const implied = key == null ? impliedKey(ctx, info, asked) : key
    if (implied === null) return resolve?.(root, given, ctx, info)
    return answerOnce(ctx, implied, asked(), async (ctx) => resolve?.(root, given, ctx, info))
  }
  return [
    name,
    {
      ...config,
      args: { ...args, idempotencyKey },
      extensions: { ...extensions, ...writeExtensions },
      resolve: resolveOnce,
    },
  ]
}
