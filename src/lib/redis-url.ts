/** Several Redis servers: a cluster, or a master that sentinels know by its name. */
export type RedisServers = {
  /** What is named: nodes of the cluster, or sentinels. */
  nodes: readonly RedisNode[]
  /** The name of the master that the sentinels watch; null for a cluster. */
  master: string | null
  username: string | undefined
  password: string | undefined
  tls: boolean
}

export type RedisNode = { host: string; port: number }

const form =
  /^redis(?<tls>s)?\+(?<kind>cluster|sentinel):\/\/(?:(?<username>[^:@/]*)(?::(?<password>[^@/]*))?@)?(?<nodes>[^@/?#]+)(?:\/(?<master>[\w.-]*))?$/
const node = /^(?<host>[\w.-]+|\[[\da-fA-F:.]+\])(?::(?<port>\d{1,5}))?$/

/**
 * Reads `redis+cluster://user:password@host:port,host:port` and `redis+sentinel://…/master`, each also with `rediss`. URLs
 * have one host, so this is not their parser's work. Null for anything else.
 */
export function parseRedisServers(text: string): RedisServers | null {
  const groups = form.exec(text)?.groups
  if (!groups) return null
  const isSentinel = groups.kind === 'sentinel'
  if (isSentinel !== Boolean(groups.master)) return null
  const nodes = (groups.nodes ?? '').split(',').map((part) => parseNode(part, isSentinel ? 26_379 : 6_379))
  const [username, password] = [decode(groups.username), decode(groups.password)]
  if (!nodes.every((found) => found !== null) || username === null || password === null) return null
  return { nodes, master: groups.master || null, username, password, tls: groups.tls === 's' }
}

function parseNode(text: string, defaultPort: number): RedisNode | null {
  const groups = node.exec(text)?.groups
  const port = Number(groups?.port ?? defaultPort)
  if (!groups?.host || port < 1 || port > 65_535) return null
  return { host: groups.host.replace(/^\[|\]$/g, ''), port }
}

/** Undefined for what is not there, null for what is not encoded as URLs are. */
function decode(text: string | undefined): string | undefined | null {
  try {
    return text ? decodeURIComponent(text) : undefined
  } catch {
    return null
  }
}
