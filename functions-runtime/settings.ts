/** Every environment variable that the executor reads. */
export type Settings = {
  /** PORT, HOST: where it listens. */
  port: string
  host: string
  /** EXECUTOR_SECRET: what callers must show. Without it nobody is let in. */
  secret: string
  /** TENDRIL_URL: where a run's `graphql` goes: the address of the API, as this machine reaches it. */
  apiUrl: string
  /** EGRESS_ALLOW: private addresses (CIDR, separated by commas) that a run's `fetch` may reach. */
  egressAllow: string
  /** ARTEFACT_CACHE_MB: how much of built functions is kept in memory. */
  artefactCacheBytes: number
  /** NPM_REGISTRY: the URL of the package registry that builds install from; null: they install nothing. */
  npmRegistry: string | null
  /** SANDBOX_PROCESSES: how many tenants have a process at once. The one that was idle longest makes room. */
  processes: number
  /** SANDBOX_MEMORY_MB: the hard wall around a tenant's process. */
  sandboxMemoryMb: number
}

type Given = Readonly<Record<string, string | undefined>>

export function readSettings(given: Given): Settings {
  const { PORT = '4000', HOST = '127.0.0.1', EXECUTOR_SECRET = '', EGRESS_ALLOW = '' } = given
  return {
    port: PORT,
    host: HOST,
    secret: EXECUTOR_SECRET,
    apiUrl: (given.TENDRIL_URL || 'http://127.0.0.1:4000').replace(/\/+$/, ''),
    egressAllow: EGRESS_ALLOW,
    artefactCacheBytes: whole(given, 'ARTEFACT_CACHE_MB', 256) * 1024 * 1024,
    npmRegistry: given.NPM_REGISTRY || null,
    processes: whole(given, 'SANDBOX_PROCESSES', 32),
    sandboxMemoryMb: whole(given, 'SANDBOX_MEMORY_MB', 768),
  }
}

function whole(given: Given, name: string, initial: number): number {
  const value = given[name] ? Number(given[name]) : initial
  if (Number.isInteger(value) && value >= 1) return value
  throw new Error(`${name} must be a whole number from 1.`)
}
