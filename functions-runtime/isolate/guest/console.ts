import { scope } from './scope.ts'

const maxLine = 8_192
const maxDepth = 4

/** Text of a value, for a log: short, and never throwing. */
export function inspect(value: unknown, depth = 0, seen: unknown[] = []): string {
  if (typeof value === 'string') return depth === 0 ? value : JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return `[Function ${value.name || 'anonymous'}]`
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Error) return errorText(value, depth, seen)
  if (value instanceof Date || value instanceof RegExp) return String(value)
  if (seen.includes(value)) return '[Circular]'
  if (depth >= maxDepth) return Array.isArray(value) ? '[Array]' : '[Object]'
  const deeper = [...seen, value]
  const inner = (one: unknown) => inspect(one, depth + 1, deeper)
  if (Array.isArray(value)) return list('[', value.slice(0, 100).map(inner), value.length, ']')
  if (value instanceof Map)
    return `Map(${value.size}) ${pairs(
      [...value].map(([key, one]) => [inner(key), one]),
      inner,
    )}`
  if (value instanceof Set) return list(`Set(${value.size}) {`, [...value].slice(0, 100).map(inner), value.size, '}')
  const name = value.constructor?.name
  return `${name && name !== 'Object' ? `${name} ` : ''}${pairs(Object.entries(value), inner)}`
}

function errorText(error: Error, depth: number, seen: unknown[]): string {
  const text = error.stack || `${error.name}: ${error.message}`
  return error.cause === undefined || depth > 2
    ? text
    : `${text}\n[cause]: ${inspect(error.cause, depth + 1, [...seen, error])}`
}

function list(open: string, parts: string[], length: number, close: string): string {
  const more = length > parts.length ? [`… ${length - parts.length} more`] : []
  return `${open}${[...parts, ...more].join(', ')}${close}`
}

function pairs(entries: [string, unknown][], inner: (value: unknown) => string): string {
  const shown = entries.slice(0, 100).map(([key, one]) => `${key}: ${inner(one)}`)
  return shown.length === 0 ? '{}' : list('{ ', shown, entries.length, ' }')
}

export function write(level: 'log' | 'error', values: unknown[]): void {
  let text: string
  try {
    text = values.map((value) => inspect(value)).join(' ')
  } catch {
    text = '[a value that cannot be shown]'
  }
  scope().call('log', level, text.length > maxLine ? `${text.slice(0, maxLine)}…` : text)
}

const line =
  (level: 'log' | 'error') =>
  (...values: unknown[]) =>
    write(level, values)

export const log = line('log')
export const error = line('error')
const nothing = () => {}

export const console = {
  log,
  info: log,
  debug: log,
  trace: log,
  dir: (value: unknown) => log(value),
  table: (value: unknown) => log(value),
  warn: error,
  error,
  assert: (condition: unknown, ...values: unknown[]) => {
    if (!condition) error('Assertion failed:', ...values)
  },
  group: log,
  groupEnd: nothing,
  time: nothing,
  timeEnd: nothing,
  timeLog: nothing,
  count: nothing,
}
