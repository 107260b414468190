/** What a run has at hand: servers, the node that is measured, the relay, the subscribers, and who writes. */
import { createSchemas } from '../../schema/schemas.ts'
import type { Context } from '../../src/context.ts'
import { hashSecret, newSecret } from '../../src/lib/secrets.ts'
import { apiOptions } from '../../src/node-options.ts'
import { createGraphql } from '../../src/server.ts'
import type { World } from '../../src/testing/world.ts'
import { createTablesOfBlog } from '../documents/fill.ts'
import { type Part, startPart } from '../parts.ts'
import { say } from '../say.ts'
import { type Ground, prepareGround } from '../servers.ts'
import type { Command, Report } from './clients.ts'

export const everybody = -1

/** A document to be: who may read it, one principal or everybody, and since when it is due, now if left out. */
export type Written = { number: number; owner: number; category?: string; at?: number }

export type Stage = {
  projectUrl: string
  /** `Bearer …` of each principal. */
  principals: readonly string[]
  api: Part
  bare: Part
  clients: (command: Command) => Promise<Report>
  /** Creates documents in one mutation. */
  write: (documents: readonly Written[]) => Promise<void>
  /** A new node in the place of the old one. */
  restart: () => Promise<void>
  close: () => Promise<void>
}

const mostSockets = '20000'

async function createPrincipals({ app }: World, projectId: string, count: number): Promise<string[]> {
  const secrets = Array.from({ length: count }, () => newSecret('ses'))
  const expiresAt = new Date(Date.now() + 86_400_000)
  await app.db.user.createMany({
    data: secrets.map((_, i) => ({ id: `usr_${i}`, projectId, email: `u${i}@example.org`, passwordHash: '' })),
  })
  await app.db.session.createMany({
    data: secrets.map((secret, i) => ({
      ...{ id: `ses_${i}`, projectId, userId: `usr_${i}`, hash: hashSecret(secret), expiresAt },
      ...{ ip: '127.0.0.1', userAgent: 'bench' },
    })),
  })
  return secrets.map((secret) => `Bearer ${secret}`)
}

function createWriter(
  { app, context }: World,
  projectId: string,
): Pick<Stage, 'write'> & { stop: () => Promise<void> } {
  const schemas = createSchemas(app)
  const graphql = createGraphql(app, schemas)
  const ctx: Context = context(projectId, {
    kind: 'key',
    id: 'key_writer',
    scopes: new Set(['documents.write', 'documents.read']),
  })
  const query = 'mutation ($inputs: [CreatePostInput!]!) { createPosts(inputs: $inputs) { id } }'
  const body = 'Lorem ipsum dolor sit amet, consetetur sadipscing.'
  const write: Stage['write'] = async (documents) => {
    const now = performance.timeOrigin + performance.now()
    const inputs = documents.map(({ number, owner, category = 'news', at = now }) => ({
      ...{ title: `${number}@${at}@${owner}`, body, category, views: number, author: `a${number % 100}` },
      permissions: [{ right: 'READ', role: owner === everybody ? 'users' : `user:usr_${owner}` }],
    }))
    const answer = await graphql.run(ctx, { query, variables: { inputs } }, ['mutation'])
    if ('errors' in answer) throw new Error(`A write failed: ${JSON.stringify(answer.errors)}`)
  }
  return { write, stop: graphql.close }
}

export async function prepareStage(principals: number, plantedBug: string | null): Promise<Stage> {
  const ground = await prepareGround(say)
  const closers: (() => Promise<unknown>)[] = [ground.close]
  const close = async () => {
    for (const end of closers.splice(0).reverse()) await end()
  }
  try {
    return await buildStage(ground, principals, plantedBug, (end) => closers.push(end), close)
  } catch (error) {
    await close()
    throw error
  }
}

async function buildStage(
  { world, env }: Ground,
  count: number,
  plantedBug: string | null,
  atEnd: (end: () => Promise<unknown>) => void,
  close: Stage['close'],
): Promise<Stage> {
  const { projectId, ids } = await createTablesOfBlog(world)
  await world.app.sql.query(
    `insert into "${projectId}"."${ids.authors}" ("_id", name) select 'a' || i, 'Author ' || i from generate_series(0, 99) i`,
  )
  const principals = await createPrincipals(world, projectId, count)
  const start = async (...args: Parameters<typeof startPart>) => {
    const part = await startPart(...args)
    atEnd(part.stop)
    return part
  }
  const bug = plantedBug === null ? [] : ['--import', `${import.meta.dirname}/bug.ts`]
  const nodeEnv = plantedBug === null ? 'production' : 'test'
  const startNode = () =>
    start(
      'api.ts',
      {},
      { ...env, SOCKETS_PER_ADDRESS: mostSockets, SOCKETS_PER_PROJECT: mostSockets, NODE_ENV: nodeEnv },
      [...apiOptions, '--expose-gc', ...bug],
    )
  await start('realtime/relay.ts', {}, env)
  const load = await start('realtime/clients.ts', {})
  const writer = createWriter(world, projectId)
  atEnd(writer.stop)
  const stage: Stage = {
    close,
    projectUrl: '',
    principals,
    api: await startNode(),
    bare: await start('realtime/bare.ts', {}),
    write: writer.write,
    clients: async (command) => {
      const answer = await load.ask<Report & { failed?: string }>(command)
      if (answer.failed) throw new Error(`The subscribers could not ${command.do}: ${answer.failed}`)
      return answer
    },
    restart: async () => {
      await stage.api.stop()
      stage.api = await startNode()
      point()
    },
  }
  const point = () => {
    stage.projectUrl = `${stage.api.told.url}/projects/${projectId}/graphql`
  }
  point()
  return stage
}
