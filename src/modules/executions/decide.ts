import type { Context } from '../../context.ts'
import { Forbidden, Invalid, Unavailable } from '../../errors.ts'
import type { Hook } from '../functions/hooks.ts'
import { type HookAnswer, runHook } from './hook-run.ts'

type Input = Readonly<Record<string, unknown>>

/** What a function is asked to decide on. */
export type Asked = {
  /** `documents.before-create`, `users.before-create`. */
  hook: string
  collection: { id: string; key: string; databaseId: string } | null
  inputs: readonly Input[]
  /** What else was asked for: `where`, `ids`, `apply`, `ifVersion`, `on`. */
  terms: Input
  /** Where an input stands in what the caller has sent. */
  at: (i: number) => readonly string[]
  /** Says why these inputs cannot be taken instead, null when they can. */
  whyNot: (inputs: readonly unknown[]) => string | null
}

/** What a function has said: the change may be made, as it is or with other inputs, or may not; or why there is no telling. */
type Verdict =
  | { kind: 'allowed' }
  | { kind: 'changed'; inputs: readonly Input[] }
  | { kind: 'rejected'; refusal: Error }
  | { kind: 'missed'; reason: string }

/**
 * Has one function decide on a change that is about to be made. Answers the inputs that it wants instead, null for those
 * that there are. Throws Invalid or Forbidden where it refuses, and Unavailable where it does not answer and that is to
 * refuse the change.
 */
export async function decide(ctx: Context, hook: Hook, asked: Asked): Promise<readonly Input[] | null> {
  const begun = performance.now()
  const tell = (outcome: string) => ctx.metrics.hooks.observe(performance.now() - begun, outcome)
  const { hook: name, collection, inputs, terms } = asked
  const { actor, projectId } = ctx
  const who = actor && { kind: actor.kind, id: actor.id }
  const body = JSON.stringify({ hook: name, project: projectId, collection, actor: who, inputs, ...terms })
  const verdict = await runHook<Verdict>(ctx, hook, body, (answer) => verdictOf(answer, asked))
  tell(verdict.kind)
  if (verdict.kind === 'rejected') throw verdict.refusal
  if (verdict.kind === 'changed') return verdict.inputs
  if (verdict.kind === 'allowed') return null
  const { functionId, onMissed } = hook
  ctx.log.warn({ functionId, hook: name, reason: verdict.reason, onMissed }, 'a hook was missed')
  if (onMissed === 'ALLOW') return null
  throw new Unavailable('A function that decides on this has not answered. Nothing was changed: try again.')
}

function verdictOf(answer: HookAnswer, asked: Asked): Verdict {
  const { inputs, whyNot } = asked
  const { status, body } = answer
  if (status >= 400 && status <= 499) return { kind: 'rejected', refusal: refusalOf(answer, asked) }
  if (status < 200 || status > 299) return { kind: 'missed', reason: `It has answered ${status}.` }
  const given = body.length === 0 ? {} : parse(body)
  if (!given) return { kind: 'missed', reason: 'Its answer is no JSON object.' }
  if (given.inputs === undefined) return { kind: 'allowed' }
  if (!Array.isArray(given.inputs) || given.inputs.length !== inputs.length)
    return { kind: 'missed', reason: 'It has to answer as many inputs as it was given.' }
  const reason = whyNot(given.inputs)
  return reason === null ? { kind: 'changed', inputs: given.inputs } : { kind: 'missed', reason }
}

/** How much a function may say of why it refuses. */
export const hookMessageCharacters = 300

function refusalOf(answer: HookAnswer, { inputs, at }: Asked): Error {
  const { message, path } = parse(answer.body) ?? {}
  const said = typeof message === 'string' ? message.slice(0, hookMessageCharacters).toWellFormed().trim() : ''
  const text = said === '' ? 'A function that decides on this has refused it.' : said
  if (answer.status === 401 || answer.status === 403) return new Forbidden(text)
  return new Invalid(text, callersPath(path, inputs.length, at))
}

/** `['inputs', 2, 'title']`, as the function was given it, is `['inputs', '2', 'title']`, `['input', 'title']` and the like for the caller. */
function callersPath(path: unknown, count: number, at: Asked['at']): string[] {
  const known = Array.isArray(path) && path.length <= 20 ? path.map((part) => String(part).slice(0, 100)) : []
  const [root, place, ...rest] = known
  const i = Number(place)
  if (root === 'inputs' && Number.isInteger(i) && i >= 0 && i < count) return [...at(i), ...rest]
  return root === 'inputs' ? [] : known
}

function parse(body: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}
