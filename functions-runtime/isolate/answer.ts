import { type Answer, limits } from './messages.ts'

/** Status and headers as HTTP has them. Throws in words for who wrote the function. */
export function checkedAnswer(head: unknown): Answer {
  const { status, headers } = head as { status: unknown; headers: Record<string, unknown> }
  if (!Number.isInteger(status) || Number(status) < 200 || Number(status) > 599) {
    throw new Error('The status of an answer must be a whole number from 200 to 599.')
  }
  const entries = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)] as const)
  const size = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (entries.length > limits.headers || size > limits.headerBytes) {
    throw new Error('An answer may have 64 headers, and 16 KB of them.')
  }
  for (const [name, value] of entries) {
    if (!/^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name)) throw new Error('An answer has a header with a name that is none.')
    // Several cookies are one value here, a line each.
    const lines = name === 'set-cookie' ? value.replaceAll('\n', '') : value
    if (/[^\t\x20-\x7e\x80-\xff]/.test(lines)) throw new Error(`The header ${name} has a value that HTTP cannot carry.`)
  }
  return { status: Number(status), headers: Object.fromEntries(entries) }
}
