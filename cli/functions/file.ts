import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import { Failure } from '../failure.ts'
import type { FunctionConfig } from './types.ts'

const text = z.string()
const flag = z.boolean().optional()
const whole = z.int().optional()

const config = z.strictObject({
  runtime: text,
  folder: text.optional(),
  entrypoint: text.optional(),
  buildCommand: text.optional(),
  events: z.array(text).optional(),
  hooks: z
    .array(z.strictObject({ on: text, deadlineMs: whole, onMissed: z.enum(['REJECT', 'ALLOW']).optional() }))
    .optional(),
  schedule: text.nullable().optional(),
  timeZone: text.optional(),
  execute: z.array(text).optional(),
  scopes: z.array(text).optional(),
  runAs: z.enum(['CALLER', 'FUNCTION']).optional(),
  timeoutMs: whole,
  memoryMb: whole,
  isTrusted: flag,
  maxAttempts: whole,
  retryAfterMs: whole,
  logging: flag,
  enabled: flag,
})

const file = z.strictObject({ functions: z.record(text.min(1).max(128), config) })
export const names = ['tendril.functions.ts', 'tendril.functions.json', 'tendril.functions.js']

export type Configured = { name: string; folder: string; config: FunctionConfig }

/** The functions that a folder's `tendril.functions.ts` names. Throws Failure with the place of what is wrong in it. */
export async function readFunctions(folder: string): Promise<Configured[]> {
  const found = names.map((name) => join(folder, name)).find((path) => existsSync(path))
  if (!found) throw new Failure(`There is no ${names[0]} and no ${names[1]} in ${resolve(folder)}.`)
  const options = found.endsWith('.json') ? { with: { type: 'json' } } : {}
  const module: { default?: unknown } = await import(pathToFileURL(resolve(found)).href, options).catch(
    (error: Error) => {
      throw new Failure(`${found} cannot be read: ${error.message}`)
    },
  )
  if (module.default === undefined) throw new Failure(`${found} has no default export.`)
  const parsed = file.safeParse(module.default)
  if (!parsed.success)
    throw new Failure(
      parsed.error.issues.map(({ path, message }) => `${found}: ${path.map(String).join('.')}: ${message}`).join('\n'),
    )
  return Object.entries(parsed.data.functions).map(([name, one]) => {
    const place = resolve(folder, one.folder ?? name)
    if (!existsSync(place)) throw new Failure(`${found}: functions.${name}: there is no folder ${place}.`)
    return { name, folder: place, config: one as FunctionConfig }
  })
}
