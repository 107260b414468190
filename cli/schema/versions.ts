import type { Api } from '../api.ts'
import type { Migration } from './migration-files.ts'

/** A migration as the server remembers it. */
export type Version = {
  name: string
  checksum: string
  rollback: string
  status: 'APPLYING' | 'APPLIED' | 'ROLLING_BACK'
  steps: number
  done: number
  appliedAt: string
}

export type Versions = {
  /** How often a lease is to be renewed. */
  renewMs: number
  /** In the order in which they were begun. */
  list: () => Promise<Version[]>
  begin: (migration: Migration, lease: string, after: string | undefined) => Promise<Version>
  beginRollback: (name: string, steps: number, lease: string) => Promise<Version>
  advance: (name: string, lease: string, done: number) => Promise<void>
  /** Gives the lease up, if it is held still. */
  leave: (name: string, lease: string, done: number) => Promise<void>
}

const fields = 'name checksum rollback status steps done appliedAt'

type Page = { nodes: Version[]; pageInfo: { hasNextPage: boolean; endCursor: string } }

export function openVersions({ request }: Api): Versions {
  const mutate = async (field: string, input: object) => {
    const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input!`
    const query = `mutation ($input: ${type}) { version: ${field}(input: $input) { ${fields} } }`
    return (await request<{ version: Version }>(query, { input })).version
  }
  return {
    renewMs: 20_000,
    list: async () => {
      const query = `query ($after: String) { schemaVersions(first: 100, after: $after) { nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`
      const all: Version[] = []
      for (let after: string | null = null; ; ) {
        const { schemaVersions }: { schemaVersions: Page } = await request(query, { after })
        all.push(...schemaVersions.nodes)
        if (!schemaVersions.pageInfo.hasNextPage) return all
        after = schemaVersions.pageInfo.endCursor
      }
    },
    begin: ({ name, checksum, up, down }, lease, after) => {
      const rollback = JSON.stringify(down)
      return mutate('beginSchemaVersion', { name, checksum, steps: up.length, rollback, lease, after })
    },
    beginRollback: (name, steps, lease) => mutate('beginSchemaRollback', { name, steps, lease }),
    advance: async (name, lease, done) => void (await mutate('advanceSchemaVersion', { name, lease, done })),
    leave: async (name, lease, done) => {
      await mutate('advanceSchemaVersion', { name, lease, done, leave: true }).catch(() => {})
    },
  }
}
