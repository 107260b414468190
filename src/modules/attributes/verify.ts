import { escapeIdentifier } from 'pg'
import type { Attribute } from '../../../prisma/client/client.ts'
import type { Query } from '../../context.ts'
import { Invalid } from '../../errors.ts'
import { checksOf, columnOf, defaultOf, type Rules, sqlTypeOf } from '../collections/columns.ts'
import { expressionKeys } from './expressions.ts'
import type { AttributeShape } from './shape.ts'

type Path = readonly string[]

/**
 * Asks PostgreSQL what only it knows: whether it can read the pattern, and whether the default keeps the attribute's own
 * rules. A transaction that it is asked in ends where it throws.
 */
export async function verifyShape(query: Query, shape: AttributeShape, path: Path): Promise<void> {
  if (shape.pattern !== null) await verifyPattern(query, shape.pattern, [...path, 'pattern'])
  const initial = defaultOf(shape)
  const checks = initial === null ? [] : checksOf(shape, `(${initial})::${sqlTypeOf(shape)}`)
  if (checks.length === 0) return
  const [row] = await query<{ kept: boolean[] }>(`select array[${checks.map(([, check]) => check).join(', ')}] as kept`)
  const broken = checks.find((_, i) => row?.kept[i] === false)
  if (broken) throw new Invalid(`The default ${faultOf(broken[0], shape)}.`, [...path, 'default'])
}

async function verifyPattern(query: Query, pattern: string, path: Path): Promise<void> {
  await query('select $1::text ~ $2::text as fits', ['', pattern]).catch((error: unknown) => {
    const { code, message } = refusalOf(error)
    if (code !== '2201B') throw error
    throw new Invalid(`This is not a regular expression: ${message.replace(/^.*?: /, '')}.`, path)
  })
}

/** What PostgreSQL said, whether Prisma or its own client was told: Prisma has other words for some of it. */
function refusalOf(error: unknown): { code: string; message: string } {
  type Told = { code?: string; message?: string }
  type Original = { originalCode?: string; originalMessage?: string }
  const told = error as Told & { meta?: { driverAdapterError?: { cause?: Original } } }
  const { originalCode, originalMessage } = told.meta?.driverAdapterError?.cause ?? {}
  return { code: originalCode ?? told.code ?? '', message: originalMessage ?? told.message ?? '' }
}

/** What is wrong with a value that breaks a check, to go on after its name. */
export function faultOf(check: string, { size, min, max }: Pick<Rules, 'size' | 'min' | 'max'>): string {
  const bound = (json: string | null) => (json === null ? '' : String(JSON.parse(json)))
  const faults: Readonly<Record<string, string>> = {
    items: 'has more than 5,000 items, or empty ones',
    size: `is longer than ${size} characters`,
    min: `is less than ${bound(min)}`,
    max: `is greater than ${bound(max)}`,
    pattern: 'does not match the pattern',
    elements: 'is not one of the elements',
  }
  return faults[check] ?? 'is refused'
}

/**
 * Throws for a computed attribute that its collection cannot have: it names what is not there, or PostgreSQL finds that
 * its types do not fit. `query` is in a transaction. `siblings` are the other attributes of the collection.
 */
export async function verifyComputed(
  query: Query,
  attribute: Attribute,
  siblings: readonly Attribute[],
  path: Path,
): Promise<void> {
  const at = [...path, 'computed']
  const used = [...expressionKeys(attribute.computed ?? '')].map((key) => {
    const found = siblings.find((one) => one.key === key)
    if (!found || found.id === attribute.id) throw new Invalid(`There is no other attribute “${key}”.`, at)
    if (found.computed !== null) throw new Invalid(`“${key}” is computed itself.`, at)
    if (found.encrypted) throw new Invalid(`“${key}” is encrypted.`, at)
    if (found.type === 'RELATION' || found.type === 'VECTOR') throw new Invalid(`“${key}” cannot be computed with.`, at)
    if (found.restricted && !attribute.restricted) throw unprotected(key, path)
    if (found.status === 'FAILED' || found.status === 'DELETING') throw new Invalid(`“${key}” is not there.`, at)
    return found
  })
  const columns = [...used.map((one) => columnOf({ ...one, default: null }, [])), columnOf(attribute, used)]
  const name = escapeIdentifier(`${attribute.id}_probe`)
  await query(`create temporary table ${name} (${columns.join(', ')}) on commit drop`).catch((error: unknown) => {
    const { code, message } = refusalOf(error)
    if (!/^(22|42)/.test(code)) throw error
    throw new Invalid(`PostgreSQL refuses it: ${message}.`, at)
  })
  await query(`drop table ${name}`)
}

/** What is computed of an attribute tells of its values: who may read that is said, and not taken from nobody's rights. */
export function unprotected(key: string, path: Path): Invalid {
  return new Invalid(`“${key}” has permissions: what is computed of it needs permissions of its own.`, [
    ...path,
    'permissions',
  ])
}

/** Whether PostgreSQL has a text search configuration of this name. */
export async function hasLanguage(query: Query, language: string): Promise<boolean> {
  const rows = await query(
    `select 1 from pg_ts_config where cfgname = $1 and cfgnamespace = 'pg_catalog'::regnamespace`,
    [language],
  )
  return rows.length > 0
}
