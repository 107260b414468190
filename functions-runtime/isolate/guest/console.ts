import { format, inspect, table } from './inspect.ts'
import { scope } from './scope.ts'

export { inspect }

const maxLine = 8_192
let indent = ''

export function write(level: 'log' | 'error', values: readonly unknown[], text = () => format(values)): void {
  let line: string
  try {
    line = text()
  } catch {
    line = '[a value that cannot be shown]'
  }
  if (indent !== '') line = indent + line.replaceAll('\n', `\n${indent}`)
  scope().call('log', level, line.length > maxLine ? `${line.slice(0, maxLine)}…` : line)
}

const line =
  (level: 'log' | 'error') =>
  (...values: unknown[]) =>
    write(level, values)

export const log = line('log')
export const error = line('error')

const counts = new Map<string, number>()
const timers = new Map<string, number>()

function since(label: string): string | null {
  const begun = timers.get(label)
  if (begun !== undefined) return `${label}: ${Date.now() - begun}ms`
  error(`No such label '${label}' for console.time()`)
  return null
}

function group(...values: unknown[]): void {
  if (values.length > 0) log(...values)
  // However often it is called, the lines are not all indentation.
  if (indent.length < 40) indent += '  '
}

export const console = {
  log,
  info: log,
  debug: log,
  warn: error,
  error,
  dir: (value: unknown) => write('log', [value], () => inspect(value, typeof value === 'string' ? 1 : 0)),
  dirxml: log,
  trace(...values: unknown[]) {
    const here = { name: 'Trace', message: '', stack: '' }
    Error.captureStackTrace(here, console.trace)
    const stack = String(here.stack).split('\n').slice(1)
    write('error', values, () => [`Trace${values.length > 0 ? `: ${format(values)}` : ''}`, ...stack].join('\n'))
  },
  table(value: unknown, columns?: readonly string[]) {
    write('log', [value], () => table(value, columns) ?? format([value]))
  },
  assert(condition: unknown, ...values: unknown[]) {
    if (condition) return
    const [first, ...rest] = values
    if (typeof first === 'string') error(`Assertion failed: ${first}`, ...rest)
    else error(values.length > 0 ? 'Assertion failed:' : 'Assertion failed', ...values)
  },
  group,
  groupCollapsed: group,
  groupEnd() {
    indent = indent.slice(2)
  },
  time(label = 'default') {
    if (!timers.has(String(label))) timers.set(String(label), Date.now())
  },
  timeLog(label = 'default', ...values: unknown[]) {
    const text = since(String(label))
    if (text) log(text, ...values)
  },
  timeEnd(label = 'default') {
    const text = since(String(label))
    if (text) log(text)
    timers.delete(String(label))
  },
  count(label = 'default') {
    const count = (counts.get(String(label)) ?? 0) + 1
    counts.set(String(label), count)
    log(`${label}: ${count}`)
  },
  countReset(label = 'default') {
    counts.delete(String(label))
  },
}
