import { GraphQLString } from 'graphql'
import { answerOnce, requestHash } from '../../src/documents/idempotency.ts'
import { writeExtensions } from '../../src/documents/root.ts'
import type { FieldConfig } from './types.ts'

const idempotencyKey = {
  type: GraphQLString,
  description:
    'The same request with the same key, 1 to 128 printable characters, is done once: within 24 hours it is answered again what it was answered, by any node. CONFLICT for another request. What fails may be tried again. Not for guests.',
}

/** A change of documents that may be asked for again when its answer was lost. */
export function onceFor([name, config]: [string, FieldConfig]): [string, FieldConfig] {
  const { args, resolve, extensions } = config
  const resolveOnce: FieldConfig['resolve'] = (root, { idempotencyKey: key, ...given }, ctx, info) => {
    if (key == null) return resolve?.(root, given, ctx, info)
    return answerOnce(ctx, key, requestHash(info, given), async (ctx) => resolve?.(root, given, ctx, info))
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
