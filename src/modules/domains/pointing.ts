import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Domain } from '../../../prisma/client/client.ts'
import type { Env } from '../../env.ts'

/** The DNS record that makes a domain point here. */
export type Target = { type: 'A' | 'AAAA' | 'CNAME'; value: string }

export type DnsRecord = { name: string; type: string; value: string }

/** What domains are to point at: DOMAINS_TARGET, or where PUBLIC_URL is. */
export function targetOf(env: Pick<Env, 'DOMAINS_TARGET' | 'PUBLIC_URL'>): Target {
  const value = (env.DOMAINS_TARGET ?? new URL(env.PUBLIC_URL).hostname).replace(/^\[|\]$/g, '').toLowerCase()
  const family = isIP(value)
  return { type: family === 4 ? 'A' : family === 6 ? 'AAAA' : 'CNAME', value }
}

/** The DNS record that says which project a domain is for: that it points here would be true for anybody's. */
export function proofOf({ name, projectId }: Pick<Domain, 'name' | 'projectId'>) {
  return { name: `_tendril.${name}`, type: 'TXT', value: `project=${projectId}` } as const
}

/** What the records of that kind say of a name, whichever projects they are of. */
export async function proofsOf(env: Env, name: string): Promise<string[]> {
  const texts = await resolverOf(env)
    .resolveTxt(proofOf({ name, projectId: '' }).name)
    .catch(() => [])
  return texts.map((parts) => parts.join(''))
}

function resolverOf({ DNS_SERVERS }: Env): Resolver {
  const resolver = new Resolver({ timeout: 3_000, tries: 2 })
  if (DNS_SERVERS.length > 0) resolver.setServers(DNS_SERVERS)
  return resolver
}

/** Whether a name points here by DNS: by an alias, or by addresses that are all ours. */
export async function pointsHere(env: Env, name: string): Promise<boolean> {
  const resolver = resolverOf(env)
  const { type, value } = targetOf(env)
  if (type === 'CNAME') {
    const aliases = await resolver.resolveCname(name).catch(() => [])
    if (aliases.some((alias) => alias.toLowerCase().replace(/\.$/, '') === value)) return true
  }
  const [found, ours] = await Promise.all([
    addressesOf(resolver, name),
    type === 'CNAME' ? addressesOf(resolver, value) : [value],
  ])
  return found.length > 0 && found.every((address) => ours.includes(address))
}

async function addressesOf(resolver: Resolver, name: string): Promise<string[]> {
  const asked = [resolver.resolve4(name), resolver.resolve6(name)]
  return (await Promise.all(asked.map((answer) => answer.catch(() => [])))).flat()
}
