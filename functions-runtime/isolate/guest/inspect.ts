const maxDepth = 4
const maxCauses = 5

/** Text of a value, for a log: short. Strings stand for themselves at the top. */
export function inspect(value: unknown, depth = 0, seen: unknown[] = []): string {
  if (typeof value === 'string') return depth === 0 ? value : JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return `[Function ${value.name || 'anonymous'}]`
  if (Object.is(value, -0)) return '-0'
  if (typeof value !== 'object' || value === null) return String(value)
  if (seen.includes(value)) return '[Circular]'
  // A stack has lines of its own: what stands beside it begins another.
  if (value instanceof Error) return depth === 0 ? errorText(value, seen) : `${errorText(value, seen)}\n`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return String(value)
  if (depth >= maxDepth) return Array.isArray(value) ? '[Array]' : '[Object]'
  const deeper = [...seen, value]
  return structure(value, (one) => inspect(one, depth + 1, deeper))
}

type Inner = (value: unknown) => string

function structure(value: object, inner: Inner): string {
  if (Array.isArray(value)) return list('[', value.slice(0, 100).map(inner), value.length, ']')
  const name = nameOf(value)
  if (value instanceof Map) {
    const shown = [...value].slice(0, 100).map(([key, one]): [string, unknown] => [inner(key), one])
    return `Map(${value.size}) ${pairs(shown, inner, value.size)}`
  }
  if (value instanceof Set) return list(`Set(${value.size}) {`, [...value].slice(0, 100).map(inner), value.size, '}')
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${value.byteLength})`
  if (ArrayBuffer.isView(value) && Symbol.iterator in value) {
    const items = [...(value as Uint8Array).subarray(0, 100)].map(inner)
    const { length } = value as Uint8Array
    return list(`${name}(${length}) [`, items, length, ']')
  }
  if (name === 'URL') return String(value)
  const isForm = name === 'Headers' || name === 'URLSearchParams' || name === 'FormData'
  const entries = isForm ? [...(value as Iterable<[string, unknown]>)] : Object.entries(value)
  return `${name && name !== 'Object' ? `${name} ` : ''}${pairs(entries, inner)}`
}

function nameOf(value: object): string {
  const tag = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
  return typeof tag === 'string' ? tag : (value.constructor?.name ?? '')
}

/** Its stack, what it holds besides, and what has caused it. */
function errorText(error: Error, seen: unknown[]): string {
  const deeper = [...seen, error]
  const inner = (one: unknown) => inspect(one, 1, deeper)
  const held = Object.entries(error).filter(([name]) => !/^(name|message|stack|cause|errors)$/.test(name))
  const parts = [error.stack || `${error.name}: ${error.message}`]
  if (held.length > 0) parts.push(pairs(held, inner))
  const { errors } = error as { errors?: unknown }
  if (Array.isArray(errors))
    parts.push(...errors.slice(0, 20).map((one, at) => `[errors ${at}]: ${inner(one).trimEnd()}`))
  if (error.cause !== undefined && seen.length < maxCauses) parts.push(`[cause]: ${inner(error.cause).trimEnd()}`)
  return parts.join('\n')
}

function list(open: string, parts: string[], length: number, close: string): string {
  const more = length > parts.length ? [`… ${length - parts.length} more`] : []
  return `${open}${[...parts, ...more].join(', ')}${close}`
}

function pairs(entries: [string, unknown][], inner: Inner, length = entries.length): string {
  const shown = entries.slice(0, 100).map(([key, one]) => `${key}: ${inner(one)}`)
  return shown.length === 0 ? '{}' : list('{ ', shown, length, ' }')
}

/** A line of any values. What begins with a text may have places for those behind it: `%s`, `%d`, `%j`, … */
export function format(values: readonly unknown[]): string {
  const [first, ...rest] = values
  if (typeof first !== 'string' || rest.length === 0 || !first.includes('%')) return values.map(plain).join(' ')
  const text = first.replace(/%[sdifjoOc%]/g, (place) => {
    if (place === '%%') return '%'
    return rest.length === 0 ? place : placed(place, rest.shift())
  })
  return [text, ...rest.map(plain)].join(' ')
}

const plain = (value: unknown) => inspect(value)

function placed(place: string, value: unknown): string {
  if (place === '%c') return ''
  if (place === '%j') return JSON.stringify(value) ?? 'undefined'
  if (place === '%s') return inspect(value)
  if (place === '%o' || place === '%O') return inspect(value, typeof value === 'string' ? 1 : 0)
  const isNone = typeof value === 'symbol' || typeof value === 'object'
  if (typeof value === 'bigint') return `${value}n`
  if (place === '%i') return String(isNone ? Number.NaN : Number.parseInt(String(value), 10))
  if (place === '%f') return String(isNone ? Number.NaN : Number.parseFloat(String(value)))
  return String(isNone ? Number.NaN : Number(value))
}

/** Rows and columns as lines; null for what has none. */
export function table(value: unknown, only?: readonly string[]): string | null {
  if (typeof value !== 'object' || value === null) return null
  const isMap = value instanceof Map
  const listed = value instanceof Set ? [...value].entries() : isMap ? value.entries() : Object.entries(value)
  const rows = [...listed].slice(0, 1_000)
  const isRow = (one: unknown): one is object => typeof one === 'object' && one !== null
  const found = rows.flatMap(([, one]) => (isRow(one) ? Object.keys(one) : []))
  const columns = only ?? [...new Set(found)].slice(0, 50)
  const hasValues = rows.some(([, one]) => !isRow(one))
  // Each is as wide as the widest of its column: a long text would be a thousand of them.
  const cell = (one: unknown) => inspect(one, 3).split('\n', 1).join().slice(0, 200)
  const cells = rows.map(([key, one]) => [
    isMap ? cell(key) : String(key),
    ...columns.map((name) => (isRow(one) && Object.hasOwn(one, name) ? cell(Reflect.get(one, name)) : '')),
    ...(hasValues ? [isRow(one) ? '' : cell(one)] : []),
  ])
  return drawn([['(index)', ...columns, ...(hasValues ? ['Values'] : [])], ...cells])
}

function drawn([head = [], ...rows]: readonly string[][]): string {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => row[at]?.length ?? 0)) + 2)
  const rule = (left: string, middle: string, right: string) =>
    `${left}${widths.map((width) => '─'.repeat(width)).join(middle)}${right}`
  const line = (row: readonly string[]) => `│${row.map((one, at) => ` ${one}`.padEnd(widths[at] ?? 0)).join('│')}│`
  return [rule('┌', '┬', '┐'), line(head), rule('├', '┼', '┤'), ...rows.map(line), rule('└', '┴', '┘')].join('\n')
}
