/** What a run has at hand: a node with its API and the relay, a project, and callers of every kind. */
import { createSchemas, type Schemas } from '../../../schema/schemas.ts'
import { startRelay } from '../../../workers/relay.ts'
import { startApi } from '../../api.ts'
import type { Context } from '../../context.ts'
import { hashSecret, newSecret } from '../../lib/secrets.ts'
import { createGraphql } from '../../server.ts'
import { createCollections } from '../collections.ts'
import { findServers } from '../fuzz/servers.ts'
import { createWorld, type World } from '../world.ts'
import { collections } from './collections.ts'

export type Principal = { kind: 'guest' | 'user' | 'key'; name: string; authorization: string | null }

export type Answer = { data?: Record<string, unknown> | null; errors?: unknown }

export type Stage = {
  world: World
  schemas: Schemas
  owner: Context
  /** Of collections, by key. */
  ids: Record<string, string>
  url: string
  principals: readonly Principal[]
  /** Reads and writes everything. */
  key: Principal
  /** Runs an operation over HTTP. Throws for whatever is not an answer without errors. */
  ask: (principal: Principal, query: string, variables?: object) => Promise<Record<string, unknown>>
  close: () => Promise<void>
}

export const users = ['ann', 'bob', 'cid', 'dan']

export const headersOf = ({ authorization }: Principal): Record<string, string> => ({
  'content-type': 'application/json',
  ...(authorization !== null && { authorization }),
})

export async function createStage(say: (line: string) => void): Promise<Stage> {
  const closers: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const end of closers.splice(0).reverse()) await end()
  }
  try {
    const servers = await findServers(say)
    closers.push(servers.stop)
    Object.assign(process.env, { DATABASE_URL: servers.databaseUrl, REDIS_URL: servers.redisUrl })
    const world = await createWorld({ PORT: '0', DATABASE_POOL: '8' })
    closers.push(world.close)
    const { projectId, owner } = await world.createProject()
    const ids = await createCollections(owner, collections)
    const relay = startRelay(world.app)
    closers.push(() => relay.stop())
    const schemas = createSchemas(world.app)
    closers.push(() => schemas.close())
    const api = await startApi(world.app, createGraphql(world.app, schemas))
    closers.push(() => api.close())
    const url = `${api.url}/projects/${projectId}/graphql`
    const key = await createKey(owner)
    const guest: Principal = { kind: 'guest', name: 'guest', authorization: null }
    const signedIn = await Promise.all(users.map((name) => createUser(owner, name)))
    const principals = [guest, ...signedIn, key]
    return { world, schemas, owner, ids, url, principals, key, ask: asker(url), close }
  } catch (error) {
    await close()
    throw error
  }
}

async function createKey({ db, projectId }: Context): Promise<Principal> {
  const secret = newSecret('key')
  const scopes = ['documents.read', 'documents.write']
  await db.key.create({ data: { id: 'key_fuzz', projectId, name: 'fuzz', hash: hashSecret(secret), scopes } })
  return { kind: 'key', name: 'key', authorization: `Bearer ${secret}` }
}

async function createUser({ db, projectId }: Context, name: string): Promise<Principal> {
  const secret = newSecret('ses')
  await db.user.create({ data: { id: name, projectId, email: `${name}@example.org`, passwordHash: '' } })
  const expiresAt = new Date(Date.now() + 86_400_000)
  const seen = { ip: '127.0.0.1', userAgent: 'fuzz' }
  const session = { id: `ses_${name}`, projectId, userId: name, hash: hashSecret(secret), expiresAt, ...seen }
  await db.session.create({ data: session })
  return { kind: 'user', name, authorization: `Bearer ${secret}` }
}

function asker(url: string): Stage['ask'] {
  return async (principal, query, variables = {}) => {
    const body = JSON.stringify({ query, variables })
    const response = await fetch(url, { method: 'POST', headers: headersOf(principal), body })
    const { data, errors } = (await response.json()) as Answer
    if (errors || !data) throw new Error(`${principal.name} was refused ${query}: ${JSON.stringify(errors)}`)
    return data
  }
}
