import type { Function as FunctionRow, Prisma } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, takeTurn, transaction } from '../../context.ts'
import { Invalid, LimitExceeded, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { requirePatterns, requireReadableEvents } from '../events/patterns.ts'
import { readScopes } from '../keys/scopes.ts'
import { operatorRows, requireOperator } from '../operators/operators.ts'
import { tickAfter, whyNotSchedule } from '../tasks/schedule.ts'
import { functionCreated, functionDeleted, functionUpdated } from './events.ts'
import { type HookInput, type HookRule, hooksChanged, readHooks, requireHookScopes } from './hook-rules.ts'
import { readRoles, requireScopes, requireTrust } from './rights.ts'
import { isIsolate, requireRuntime } from './runtimes.ts'

export const functionLimit = 100
/** Most patterns of events that one function is run for. */
export const patternLimit = 50
/** Most memory of a function in an isolate; in Docker `memoryMb` is as much as its field allows. */
export const isolateMb = 512

/** The functions of the project that is asked, for those who run it. */
export function visibleFunctions(ctx: Pick<Context, 'actor' | 'projectId'>): Prisma.FunctionWhereInput {
  return { ...operatorRows(ctx), deletedAt: null }
}

export async function getFunction(ctx: Context | DbContext, id: string): Promise<FunctionRow> {
  const found = await ctx.db.function.findFirst({ where: { AND: [{ id }, visibleFunctions(ctx)] } })
  if (!found) throw noFunction()
  return found
}

export function noFunction(): NotFound {
  return new NotFound('There is no such function.')
}

type Maybe<T> = T | null | undefined

export type FunctionChanges = {
  name?: Maybe<string>
  runtime?: Maybe<string>
  entrypoint?: Maybe<string>
  execute?: Maybe<readonly string[]>
  scopes?: Maybe<readonly string[]>
  runAs?: Maybe<FunctionRow['runAs']>
  events?: Maybe<readonly string[]>
  hooks?: Maybe<readonly HookInput[]>
  /** Null: none. */
  schedule?: Maybe<string>
  timeZone?: Maybe<string>
  timeoutMs?: Maybe<number>
  memoryMb?: Maybe<number>
  isTrusted?: Maybe<boolean>
  maxAttempts?: Maybe<number>
  retryAfterMs?: Maybe<number>
  logging?: Maybe<boolean>
  enabled?: Maybe<boolean>
}
export type NewFunction = FunctionChanges & { name: string; runtime: string }

const entrypoints: Readonly<Record<string, string>> = { javascript: 'index.js', typescript: 'index.ts' }

/** Makes a function, which runs once it has a deployment. */
export async function createFunction(ctx: Context, input: NewFunction): Promise<FunctionRow> {
  requireOperator(ctx)
  const data = changesOf(ctx, input)
  const { name, runtime } = input
  const entrypoint =
    data.entrypoint ?? entrypoints[runtime] ?? ctx.sandbox.runtimes().find((one) => one.name === runtime)?.entrypoint
  if (!entrypoint) throw new Invalid('A function of this runtime needs an entrypoint.', ['input', 'entrypoint'])
  return transaction(ctx, async (tx) => {
    const { projectId } = ctx
    await takeTurn(tx, `functions ${projectId}`)
    const count = await tx.db.function.count({ where: { projectId, deletedAt: null } })
    if (count >= functionLimit) throw new LimitExceeded(`A project has at most ${functionLimit} functions.`)
    const id = newId('fun')
    const made = { ...data, id, projectId, name, runtime, entrypoint, execute: data.execute ?? [] }
    const row = await tx.db.function.create({
      data: { ...made, scopes: data.scopes ?? [], events: data.events ?? [] },
    })
    const checked = await settle(ctx, tx, row, true)
    await emit(tx, functionCreated, { functionId: id })
    return checked
  })
}

/** Changes a function. Its next run by the clock follows from its schedule anew where that is another. */
export async function updateFunction(ctx: Context, id: string, changes: FunctionChanges): Promise<FunctionRow> {
  requireOperator(ctx)
  const data = changesOf(ctx, changes)
  return transaction(ctx, async (tx) => {
    const before = await changeableFunction(ctx, tx, id)
    const row = await tx.db.function.update({ where: { id }, data })
    const { schedule, timeZone, enabled } = before
    const isTimed = schedule !== row.schedule || timeZone !== row.timeZone || enabled !== row.enabled
    const checked = await settle(ctx, tx, row, isTimed)
    await emit(tx, functionUpdated, { functionId: id })
    await hooksChanged(tx, before, row)
    return checked
  })
}

/** Deletes a function; the deletes worker takes away what hangs on it. A run that is under way is finished, without its token. */
export async function deleteFunction(ctx: Context, id: string): Promise<string> {
  requireOperator(ctx)
  return transaction(ctx, async (tx) => {
    const before = await lockFunction(ctx, tx, id)
    const row = await tx.db.function.update({
      where: { id },
      data: { deletedAt: ctx.clock(), enabled: false, nextRunAt: null },
    })
    await emit(tx, functionDeleted, { functionId: id })
    await hooksChanged(tx, before, row)
    return id
  })
}

/** Makes a deployment the one that is run. Whether it is ready, and of this function, is for the caller to know. */
export async function activateDeployment(
  tx: DbContext,
  functionId: string,
  deploymentId: string | null,
): Promise<void> {
  const before = await tx.db.function.findUniqueOrThrow({ where: { id: functionId } })
  const row = await tx.db.function.update({ where: { id: functionId }, data: { deploymentId } })
  await emit(tx, functionUpdated, { functionId }, row.projectId)
  await hooksChanged(tx, before, row)
}

/** Locks the function, whose code, variables or settings are to be changed, for those who may. */
export async function changeableFunction(ctx: Context, tx: DbContext, id: string): Promise<FunctionRow> {
  const row = await lockFunction(ctx, tx, id)
  requireAllowed(ctx, row)
  return row
}

/** For who may themselves what the function may, and be told and decide on what it is told and decides on. */
export function requireAllowed(
  ctx: Pick<Context, 'actor'>,
  { scopes, events, hooks }: Pick<FunctionRow, 'scopes' | 'events' | 'hooks'>,
): void {
  requireScopes(ctx, scopes)
  requireReadableEvents(ctx, events, 'A function')
  requireHookScopes(ctx, hooks as HookRule[])
}

/** Locks the row, so that changes of one function and their events are in the same order. */
async function lockFunction(ctx: Context, tx: DbContext, id: string): Promise<FunctionRow> {
  await tx.query('select 1 as locked from functions where id = $1 for update', [id])
  const row = await tx.db.function.findFirst({ where: { AND: [{ id }, visibleFunctions(ctx)] } })
  if (!row) throw noFunction()
  return row
}

/** What is to hold of the whole of a function, and when it runs next. */
async function settle(ctx: Context, tx: DbContext, row: FunctionRow, isTimed: boolean): Promise<FunctionRow> {
  requireAllowed(ctx, row)
  if (row.isTrusted) requireTrust(ctx)
  if (isIsolate(row.runtime) && row.memoryMb > isolateMb)
    throw new Invalid(`A function in an isolate has at most ${isolateMb} MB of memory.`, ['input', 'memoryMb'])
  const { schedule, timeZone } = row
  const wrong = schedule === null ? null : whyNotSchedule({ schedule, timeZone })
  if (wrong) throw new Invalid(wrong.message, ['input', wrong.field])
  if (!isTimed) return row
  const isOn = schedule !== null && row.enabled
  const nextRunAt = isOn ? tickAfter({ schedule, timeZone }, ctx.clock()) : null
  return tx.db.function.update({ where: { id: row.id }, data: { nextRunAt } })
}

function changesOf(ctx: Context, changes: FunctionChanges) {
  const { name, runtime, entrypoint, execute, scopes, runAs, events, hooks, schedule, timeZone } = changes
  const { timeoutMs, memoryMb, isTrusted, maxAttempts, retryAfterMs, logging, enabled } = changes
  return {
    ...(name != null && { name }),
    ...(runtime != null && { runtime: requireRuntime(ctx, runtime) }),
    ...(entrypoint != null && { entrypoint: readEntrypoint(entrypoint) }),
    ...(execute != null && { execute: readRoles(execute) }),
    ...(scopes != null && { scopes: readScopes(scopes) }),
    ...(runAs != null && { runAs }),
    ...(events != null && { events: readPatterns(events) }),
    ...(hooks != null && { hooks: readHooks(hooks) }),
    ...(schedule !== undefined && { schedule }),
    ...(timeZone != null && { timeZone }),
    ...(timeoutMs != null && { timeoutMs }),
    ...(memoryMb != null && { memoryMb }),
    ...(isTrusted != null && { isTrusted }),
    ...(maxAttempts != null && { maxAttempts }),
    ...(retryAfterMs != null && { retryAfterMs }),
    ...(logging != null && { logging }),
    ...(enabled != null && { enabled }),
  }
}

function readEntrypoint(path: string): string {
  const parts = path.split('/')
  const isInside = parts.every((part) => part !== '' && part !== '.' && part !== '..' && /^[\w.@ -]+$/.test(part))
  if (!isInside) throw new Invalid('This is not the path of a file in a deployment.', ['input', 'entrypoint'])
  return path
}

function readPatterns(events: readonly string[]): string[] {
  if (events.length > patternLimit)
    throw new Invalid(`A function is run for at most ${patternLimit} patterns of events.`, ['input', 'events'])
  requirePatterns(events, ['input', 'events'])
  return [...new Set(events)]
}
