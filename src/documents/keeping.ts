import {
  DirectiveLocation,
  GraphQLDirective,
  GraphQLInt,
  GraphQLNonNull,
  getDirectiveValues,
  type OperationDefinitionNode,
} from 'graphql'
import type { Pool } from 'pg'
import { type Context, readerOf } from '../context.ts'
import { Invalid } from '../errors.ts'
import { readAnswer } from '../platform/statements.ts'
import { type Answered, countAnswer, requireRoom } from './answer-size.ts'
import type { Scope } from './scope.ts'

/** What decides the answers of a statement, and for how long its collections have them kept: null for not at all. */
export type Keeping = { about: readonly string[]; seconds: number | null }

const most = 3_600

/** How a query asks that its answers are kept, whatever its collections say. */
export const cachedDirective = new GraphQLDirective({
  name: 'cached',
  description:
    'Answers about documents may be kept and given to whoever asks the same with the same rights, though never a second after a change.',
  locations: [DirectiveLocation.QUERY],
  args: {
    maxAge: {
      type: new GraphQLNonNull(GraphQLInt),
      description: `For how many seconds at most, 1 to ${most.toLocaleString('en')}.`,
    },
  },
})

/** Null where the query does not ask for it. */
export function maxAgeOf(
  operation: Pick<OperationDefinitionNode, 'directives'>,
  variables: Readonly<Record<string, unknown>>,
): number | null {
  const asked = getDirectiveValues(cachedDirective, operation, variables)
  if (!asked) return null
  const maxAge = Number(asked.maxAge)
  if (maxAge >= 1 && maxAge <= most) return maxAge
  throw new Invalid(`Answers are kept for 1 to ${most.toLocaleString('en')} seconds.`, ['maxAge'])
}

/** What these answer is not the same the next time, though nothing has changed. */
const unsteady = /\b(random|now|clock_timestamp|gen_random_uuid)\s*\(|\b(current_(date|time|timestamp)|localtime)\b/

/** Null for a statement that does not answer the same until something changes. */
export function keepingOf({ model, reads }: Scope, text: string): Keeping | null {
  if (unsteady.test(text) || reads.size === 0) return null
  const collections = [...reads]
  const seconds = collections.map(({ cacheSeconds }) => cacheSeconds ?? 0)
  return {
    about: [model.projectId, ...collections.map(({ id }) => id)],
    seconds: Math.min(...seconds) || null,
  }
}

type Asked = { text: string; keeping: Keeping | null }

/** The one text that a statement answers, counted among those of its operation. */
export async function answerFrom(
  ctx: Context,
  asked: Asked,
  values: unknown[],
  maxAge: number | null,
  answered: Answered | undefined,
): Promise<string | null> {
  const answer = await findAnswer(ctx, asked, values, maxAge, answered)
  countAnswer(answered, answer)
  return answer
}

/** What is kept of it, where the query or all its collections want that. */
function findAnswer(
  ctx: Context,
  { text, keeping }: Asked,
  values: unknown[],
  maxAge: number | null,
  answered: Answered | undefined,
): Promise<string | null> {
  const seconds = keeping && (maxAge ?? keeping.seconds)
  const read = (sql: Pool) => {
    requireRoom(answered)
    return readAnswer(sql, text, values)
  }
  if (!seconds) return readSql(ctx, read)
  ctx.meter.count(ctx.projectId, 'documents.read')
  const question = { about: keeping.about, seconds, text, values, reader: readerOf(ctx) }
  // Read from the primary, so that it is known what is in it.
  return ctx.cache.answer(question, () => ctx.shares.run(ctx.projectId, async () => read(ctx.sql)))
}

/**
 * Reads documents in one statement, within the project's share of the connections: from the replica where there is one,
 * unless the caller has just written.
 */
export function readSql<T>(ctx: Context, read: (sql: Pool) => Promise<T>): Promise<T> {
  ctx.meter.count(ctx.projectId, 'documents.read')
  return ctx.shares.run(ctx.projectId, () => ctx.replica.read(readerOf(ctx), read))
}
