/** The API node that is killed: real HTTP, authentication and GraphQL, with one mutation whose effects can be counted. */
import { GraphQLInt, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql'
import { startApi } from '../../api.ts'
import type { App } from '../../app.ts'
import { type Context, sqlTransaction, type TxContext, transaction } from '../../context.ts'
import { emit } from '../../event.ts'
import { channelsOf, createPubsub } from '../../platform/pubsub.ts'
import { createGraphql } from '../../server.ts'
import { tick } from '../stream.ts'
import { type Options, runPart } from './part.ts'

type Write = { id: string; thing: string; n: number }
type Publish = (projectId: string, write: Write) => Promise<unknown>

/** The change itself: the row lock on the thing is what puts the writes to it in order. */
async function change(tx: TxContext, id: string, thing: string): Promise<Write> {
  const rows = await tx.query<{ n: number }>('update fault_things set n = n + 1 where id = $1 returning n', [thing])
  const n = rows[0]?.n ?? 0
  await tx.query('insert into fault_writes (id, thing, n) values ($1, $2, $3)', [id, thing, n])
  return { id, thing, n }
}

/** One operation, by Prisma or by SQL. With the planted bug its event is published when it is committed, and not before. */
async function write(
  ctx: Context,
  id: string,
  thing: string,
  viaPrisma: boolean,
  publish: Publish | null,
): Promise<void> {
  const operation = async (tx: TxContext) => {
    const written = await change(tx, id, thing)
    if (!publish) await emit(tx, tick, { thing, n: written.n, pad: id })
    return written
  }
  const written = viaPrisma ? await transaction(ctx, operation) : await sqlTransaction(ctx, operation)
  await publish?.(ctx.projectId, written)
}

function plantedPublish(app: App): Publish {
  const channels = channelsOf(`tendril:${app.tails.epoch}:`)
  const pubsub = createPubsub(app.env.REDIS_URL, app.log)
  return (projectId, written) => pubsub.publish(channels.project(projectId), JSON.stringify({ planted: written }))
}

type Args = { id: string; thing: string }

/** `tick` counts a thing up; every other write goes through Prisma's transaction, the rest through SQL's. */
function countingSchema(publish: Publish | null): GraphQLSchema {
  const text = { type: new GraphQLNonNull(GraphQLString) }
  let calls = 0
  const resolve = async (_root: unknown, { id, thing }: Args, ctx: Context) => {
    calls += 1
    await write(ctx, id, thing, calls % 2 === 0, publish)
    return calls
  }
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { ready: { type: GraphQLInt, resolve: () => 1 } } }),
    mutation: new GraphQLObjectType({
      name: 'Mutation',
      fields: { tick: { type: GraphQLInt, args: { id: text, thing: text }, resolve } },
    }),
  })
}

async function begin(app: App, { plantedBug }: Options) {
  const schema = countingSchema(plantedBug === 'publish-after-commit' ? plantedPublish(app) : null)
  const api = await startApi(app, createGraphql(app, { for: async () => schema, close: async () => {} }))
  return api.close
}

await runPart(begin)
