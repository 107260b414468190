/**
 * Values that a compiled statement does not hold but gets with each request: a variable of the operation stands in its
 * arguments as a slot, and what is read of it among the statement's parameters as a deferred value.
 */
const slotBrand = Symbol('slot')
const deferredBrand = Symbol('deferred')

/** Where among the variables a value will be. */
export type Slot = { readonly [slotBrand]: true; readonly path: readonly string[] }

/** What a request brings. `actor` is who writes, for what is logged of a write. */
export type Given = {
  variables: Readonly<Record<string, unknown>>
  roles: readonly string[]
  userId: string | null
  actor?: { kind: string; id: string } | null
  /** The `traceparent` of the write. */
  trace?: string | null
  /** The run of a function that writes. */
  executionId?: string | null
  /** How many bytes of documents a write may answer. */
  left?: number
}

export type Deferred = { readonly [deferredBrand]: true; readonly read: (given: Given) => unknown }

/** Thrown while compiling: what the statement looks like depends on the value itself, so it has to be there. */
export class NeedsLiteral extends Error {
  readonly path: readonly string[]

  constructor({ path }: Slot) {
    super(`The statement depends on the value of $${path.join('.')}.`)
    this.path = path
  }
}

export function createSlot(path: readonly string[]): Slot {
  return { [slotBrand]: true, path }
}

export function isSlot(value: unknown): value is Slot {
  return typeof value === 'object' && value !== null && slotBrand in value
}

export function isDeferred(value: unknown): value is Deferred {
  return typeof value === 'object' && value !== null && deferredBrand in value
}

export function defer(read: (given: Given) => unknown): Deferred {
  return { [deferredBrand]: true, read }
}

/** `read(value)` now, or once the request brings the value. Lists and objects may hold slots beside values. */
export function whenGiven(value: unknown, read: (value: unknown) => unknown): unknown {
  return holdsSlot(value) ? noted(whenAllGiven(value, read)) : read(value)
}

/** Whether it is a slot, or one is anywhere in its lists and objects. */
export function holdsSlot(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return isSlot(value) || Object.values(value).some(holdsSlot)
}

let notes: Deferred[] | null = null

function noted(deferred: Deferred): Deferred {
  notes?.push(deferred)
  return deferred
}

/** What `compile` makes, and every value that it deferred: one that no statement needs has to be right all the same. */
export function noteDeferred<T>(compile: () => T): { made: T; deferred: readonly Deferred[] } {
  const before = notes
  const deferred: Deferred[] = []
  notes = deferred
  try {
    return { made: compile(), deferred }
  } finally {
    notes = before
  }
}

/** `read(value)` once the request brings what is missing, which `read` is told of besides. */
export function whenAllGiven(value: unknown, read: (value: unknown, given: Given) => unknown): Deferred {
  return defer((given) => read(filled(value, given), given))
}

function filled(value: unknown, given: Given): unknown {
  if (isSlot(value)) return valueAt(given.variables, value.path)
  if (Array.isArray(value)) return value.map((item) => filled(item, given))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item, given)]))
}

/** For values that decide what the statement looks like. */
export function requireLiteral<T>(value: T): Exclude<T, Slot> {
  if (isSlot(value)) throw new NeedsLiteral(value)
  return value as Exclude<T, Slot>
}

/** The parameters of a statement for one request. */
export function bind(values: readonly unknown[], given: Given): unknown[] {
  return values.map((value) => (isDeferred(value) ? value.read(given) : value))
}

function valueAt(variables: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>>)[key], variables)
}
