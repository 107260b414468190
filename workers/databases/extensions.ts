import type { TxContext } from '../../src/context.ts'
import { Failure } from './fail.ts'

/** What an extension of PostgreSQL is needed for, in words. */
const purposes = { pg_trgm: 'Trigram indexes need', vector: 'Vectors need' } as const

/** Makes sure that an extension is there: it is created once, where the server has it and lets us. */
export async function useExtension(tx: TxContext, name: keyof typeof purposes): Promise<void> {
  const installed = await tx.query('select 1 from pg_extension where extname = $1', [name])
  if (installed.length > 0) return
  const known = await tx.query('select 1 from pg_available_extensions where name = $1', [name])
  if (known.length === 0)
    throw new Failure(`${purposes[name]} the extension “${name}”, which this PostgreSQL server lacks.`)
  try {
    await tx.query(`create extension if not exists ${name} with schema public`)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === '42501')) throw error
    throw new Failure(`${purposes[name]} the extension “${name}”: let an administrator run “create extension ${name}”.`)
  }
}
