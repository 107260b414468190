import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { Failure } from '../failure.ts'
import { requireReferences } from './references.ts'
import {
  attributeShape,
  type CollectionShape,
  indexShape,
  type Renames,
  type SchemaShape,
  type Shape,
  settingShape,
} from './shape.ts'
import { rulesWrittenAs } from './values.ts'

export const schemaFile = 'tendril.schema.ts'

const key = z
  .string()
  .regex(
    /^[a-z][A-Za-z0-9_]{0,39}$/,
    'A key begins with a small letter and goes on with letters, digits and _, 40 at most.',
  )
  .refine((key) => !(key in {}), 'This is reserved: choose another key.')
const text = z.string()
const description = z
  .string()
  .refine((text) => text.trim() !== '' && [...text].length <= 1_000, 'A description has 1 to 1,000 characters.')
const flag = z.boolean()
const whole = z.int()
const right = z.enum(['create', 'read', 'update', 'delete', 'write'])
const permission = z
  .string()
  .regex(/^(create|read|update|delete|write):.+$/s, 'A permission is `right:role`, like `read:any`.')

const attribute = z.strictObject({
  type: text,
  to: text.optional(),
  relation: z.enum(['ONE_TO_ONE', 'MANY_TO_ONE', 'MANY_TO_MANY']).optional(),
  reverseKey: text.optional(),
  onDelete: z.enum(['CASCADE', 'RESTRICT', 'SET_NULL']).optional(),
  size: whole.optional(),
  elements: z.array(text).optional(),
  dimensions: whole.optional(),
  list: flag.optional(),
  required: flag.optional(),
  default: z.json().optional(),
  min: z.json().optional(),
  max: z.json().optional(),
  pattern: text.optional(),
  unique: flag.optional(),
  encrypted: flag.optional(),
  computed: text.optional(),
  permissions: z.array(permission).optional(),
  description: description.optional(),
  renamedFrom: key.optional(),
})

const index = z.strictObject({
  type: text,
  attributes: z.array(text),
  orders: z.array(z.enum(['ASC', 'DESC', 'ASC_NULLS_FIRST', 'DESC_NULLS_LAST'])).optional(),
  language: text.optional(),
  distance: text.optional(),
})

const collection = z.strictObject({
  typeName: text.optional(),
  name: text.optional(),
  description: description.optional(),
  permissions: z.array(permission).optional(),
  documentPermissions: flag.optional(),
  rules: z.array(z.strictObject({ right, role: text, where: z.record(text, z.json()) })).optional(),
  cacheSeconds: whole.optional(),
  renamedFrom: key.optional(),
  attributes: z.record(key, attribute),
  indexes: z.record(key, index).optional(),
})

const schema = z.strictObject({
  databases: z.record(key, z.strictObject({ name: text.optional(), collections: z.record(key, collection) })),
})

export type SchemaInFile = { shape: SchemaShape; renames: Renames }

/** Reads a schema out of the default export of a file. Throws Failure with the place of what is wrong in it. */
export async function readSchema(file: string): Promise<SchemaInFile> {
  const path = resolve(file)
  if (!existsSync(path)) throw new Failure(`There is no ${file}. \`tendril schema pull\` writes one.`)
  const module: { default?: unknown } = await import(pathToFileURL(path).href).catch((error: Error) => {
    throw new Failure(`${file} cannot be read: ${error.message}`)
  })
  if (module.default === undefined) throw new Failure(`${file} has no default export.`)
  const parsed = schema.safeParse(module.default)
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const message = issue.code === 'invalid_key' ? issue.issues[0]?.message : issue.message
      return `${file}: ${issue.path.map(String).join('.')}: ${message}`
    })
    throw new Failure(lines.join('\n'))
  }
  return schemaOf(file, parsed.data)
}

type Parsed = z.infer<typeof schema>

function schemaOf(file: string, { databases }: Parsed): SchemaInFile {
  const collections: Record<string, CollectionShape> = {}
  const renames: Record<string, string> = {}
  for (const [database, { collections: own }] of Object.entries(databases)) {
    renamesOf(file, database, own)
    for (const [name, given] of Object.entries(own)) {
      const path = `${database}.${name}`
      const old = given.renamedFrom === undefined ? path : `${database}.${given.renamedFrom}`
      if (old !== path) renames[old] = path
      for (const [was, field] of renamesOf(file, path, given.attributes)) renames[`${old}.${was}`] = `${path}.${field}`
      collections[path] = {
        settings: settingShape(name, { ...given, rules: rulesWrittenAs(given.rules ?? [], given.attributes) }),
        attributes: mapValues(given.attributes, (one) => attributeShape(withTarget(database, one))),
        indexes: mapValues(given.indexes ?? {}, (one) => indexShape(one)),
      }
    }
  }
  requireReferences(file, collections)
  return { shape: { databases: mapValues(databases, ({ name }) => (name ? { name } : {})), collections }, renames }
}

/** What is called otherwise now, by what it was called. A circle of renames looks the same before it is made and after. */
function renamesOf(file: string, place: string, all: Record<string, { renamedFrom?: string | undefined }>) {
  const renames = new Map<string, string>()
  for (const [name, { renamedFrom = name }] of Object.entries(all)) {
    if (renamedFrom === name) continue
    const other = renames.get(renamedFrom)
    if (other) throw new Failure(`${file}: ${place}: ${other} and ${name} are both renamed from ${renamedFrom}.`)
    renames.set(renamedFrom, name)
  }
  for (const start of renames.keys()) {
    const names = [start]
    for (let name = renames.get(start); name && !names.includes(name); name = renames.get(name)) names.push(name)
    if (renames.get(names.at(-1) ?? '') !== start) continue
    throw new Failure(
      `${file}: ${place}: ${[...names, start].join(' → ')} are renamed in a circle, and nobody can tell whether that is done. Rename one to another key, push, and then to the key that it is to have.`,
    )
  }
  return renames
}

/** `main.authors` within `main` is `authors`. */
function withTarget(database: string, given: Shape): Shape {
  const { to } = given
  return typeof to === 'string' && to.startsWith(`${database}.`)
    ? { ...given, to: to.slice(database.length + 1) }
    : given
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]))
}
