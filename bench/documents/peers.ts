import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { apiOptions } from '../../src/node-options.ts'
import { ask, type Peer } from '../client.ts'
import { type Part, startPart } from '../parts.ts'
import { type Ground, poolSize } from '../servers.ts'
import { createTablesOfBlog, type Filled, fillBlog } from './fill.ts'
import { tagTables } from './tags.ts'

export const serverNames = ['ours', 'raw', 'postgraphile'] as const
export type ServerName = (typeof serverNames)[number]

export type Peers = { places: Record<ServerName, Peer>; filled: Filled; stop: () => Promise<void> }

/** What is compared with is no dependency of Tendril: it is installed when it is first needed. */
export function installPeers(say: (line: string) => void): void {
  const bench = join(import.meta.dirname, '..')
  if (existsSync(join(bench, 'node_modules/postgraphile'))) return
  say('installing PostGraphile')
  const args = ['ci', '--prefix', bench, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status, stderr } = spawnSync('npm', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`PostGraphile could not be installed: ${stderr}`)
}

type SignedUp = { signUp: { secret: string; account: { id: string } } }

/** The three servers, each a process of its own, on the same tables; ours is asked by a user who has signed up. */
export async function startPeers({ world, env }: Ground, plantedBug: string | null): Promise<Peers> {
  const filled = await createTablesOfBlog(world)
  const { projectId } = filled
  const parts: Part[] = []
  const stop = async () => void (await Promise.all(parts.map((part) => part.stop())))
  const start = async (...args: Parameters<typeof startPart>) => {
    const part = await startPart(...args)
    parts.push(part)
    return part.told.url
  }
  try {
    const api = await start('documents/ours.ts', { plantedBug }, env, apiOptions)
    const url = `${api}/projects/${projectId}/graphql`
    const query =
      'mutation { signUp(input: { email: "ann@example.org", password: "correct horse" }) { secret account { id } } }'
    const { secret, account } = (await ask<SignedUp>({ url }, { query })).signUp
    await fillBlog(world, filled, ['users', `user:${account.id}`])
    await tagTables(world.app.sql, filled)
    const options = { ...filled, url: env.DATABASE_URL, poolSize, userId: account.id }
    const production = { NODE_ENV: 'production', GRAPHILE_ENV: 'production' }
    const raw = { url: await start('documents/raw.ts', options, production, apiOptions) }
    const postgraphile = { url: await start('documents/postgraphile.mjs', options, production, apiOptions) }
    const places = { ours: { url, authorization: `Bearer ${secret}` }, raw, postgraphile }
    return { places, filled, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
