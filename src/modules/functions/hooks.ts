/** What a function decides on before it happens, as its row holds it. */
export type HookRule = {
  /** A pattern: `databases.blog.collections.posts.documents.before-create`, `documents.before-create`, `users.before-create`. */
  on: string
  /** How long the operation waits for its answer. */
  deadlineMs: number
  /** What becomes of the operation when there is no answer. */
  onMissed: 'REJECT' | 'ALLOW'
}

/** A rule that is in force, and whose function it calls. */
export type Hook = HookRule & { functionId: string }

/** What is about to be done: each name that a segment of a pattern may be. */
export type HookTarget =
  | { noun: 'users'; actions: readonly string[] }
  | { noun: 'documents'; actions: readonly string[]; database: readonly string[]; collection: readonly string[] }

export const hookLimits = { rules: 20, leastMs: 100, initialMs: 1_000, mostMs: 5_000 } as const

const actions: ReadonlyMap<string, readonly string[]> = new Map([
  ['documents', ['before-create', 'before-update', 'before-delete']],
  ['users', ['before-create', 'before-update']],
])

const segment = /^(\*|[A-Za-z0-9_-]{1,64})$/

/**
 * Says what is wrong with a pattern, null when nothing is. The grammar is that of events, without the id of a document:
 * `*`; a noun and an action; or the whole path of a collection's documents and an action.
 */
export function whyNotHook(on: string): string | null {
  if (on === '*') return null
  const parts = on.split('.')
  const isPath =
    parts.length === 6 && parts[0] === 'databases' && parts[2] === 'collections' && parts[4] === 'documents'
  if (!parts.every((part) => segment.test(part)) || !(isPath || parts.length === 2))
    return `“${on}” is no pattern of a hook, like documents.before-create or databases.*.collections.posts.documents.before-create.`
  const [noun = '', action = ''] = parts.slice(-2)
  const known = noun === '*' ? [...actions.values()].flat() : (actions.get(noun) ?? [])
  return action === '*' ? whyNotNoun(noun, on) : known.includes(action) ? null : nothingOf(on)
}

function whyNotNoun(noun: string, on: string): string | null {
  return noun === '*' || actions.has(noun) ? null : nothingOf(on)
}

function nothingOf(on: string): string {
  return `“${on}” names nothing that a hook can decide on: that is before-create, before-update and before-delete of documents, and before-create and before-update of users.`
}

export function matchesHook(on: string, target: HookTarget): boolean {
  if (on === '*') return true
  const parts = on.split('.')
  const action = parts.at(-1) ?? ''
  if (action !== '*' && !target.actions.includes(action)) return false
  if (parts.length === 2) return parts[0] === '*' || parts[0] === target.noun
  if (target.noun !== 'documents') return false
  const [, database = '', , collection = ''] = parts
  return isNamed(database, target.database) && isNamed(collection, target.collection)
}

function isNamed(part: string, names: readonly string[]): boolean {
  return part === '*' || names.includes(part)
}

/** The hooks for this, each function at most once, in the order in which the functions were created. */
export function hooksFor(hooks: readonly Hook[], target: HookTarget): Hook[] {
  const found = new Map<string, Hook>()
  for (const hook of hooks) {
    if (!found.has(hook.functionId) && matchesHook(hook.on, target)) found.set(hook.functionId, hook)
  }
  return [...found.values()]
}
