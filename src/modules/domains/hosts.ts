import { LRUCache } from 'lru-cache'
import type { Services } from '../../context.ts'
import type { Env } from '../../env.ts'

/** What a domain of a project's own leads to: its API, or one function of it. */
export type Host = { projectId: string; functionId: string | null }

/** What the names are that requests come to, as this node has found them in the last second. */
export type Hosts = {
  /** What the name of a `Host` header leads to; null for the server's own name, and for those that nobody has. */
  find: (host: string | undefined) => Promise<Host | null>
}

const most = 10_000
const maxAgeMs = 1_000

/** A name that a domain can have: with a dot, and no address. Anything else is not looked for. */
const form = /^(?=.{4,253}$)(?:[a-z\d-]{1,63}\.)+[a-z][a-z\d-]{0,62}$/

const query = `
  select d."projectId", f.id as "functionId" from domains d
  join projects p on p.id = d."projectId" and p."deletedAt" is null
  left join functions f on f.id = d."functionId" and f."deletedAt" is null
  where d.name = $1 and d."verifiedAt" is not null`

export function createHosts({ sql, env }: Pick<Services, 'sql'> & { env: Pick<Env, 'PUBLIC_URL'> }): Hosts {
  const known = new LRUCache<string, Promise<Host | null>>({ max: most, ttl: maxAgeMs })
  const own = new URL(env.PUBLIC_URL).hostname
  const read = async (name: string) => {
    const { rows } = await sql.query<Host>({ name: 'host', text: query, values: [name] })
    return rows[0] ?? null
  }
  const find = (name: string) => {
    const found = known.get(name)
    if (found) return found
    const reading = read(name)
    known.set(name, reading)
    reading.catch(() => known.delete(name))
    return reading
  }
  return {
    find: async (host) => {
      const name = nameOf(host)
      return name === own || !form.test(name) ? null : find(name)
    },
  }
}

/** Without its port, and as DNS has it. */
function nameOf(host: string | undefined): string {
  return (host ?? '').toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '')
}
