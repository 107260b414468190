/**
 * The one way out of an isolate: `call(op, json, bytes)`, strings in, a string out. The options are frozen and have no
 * prototype: isolated-vm reads them here, where a function may have put `reference: true` on Object.prototype, and would
 * hand it the host's own objects.
 */
export type Host = {
  applySync: (receiver: undefined, args: readonly [string, string, string], options: object) => string
  applyIgnored: (receiver: undefined, args: readonly [string, string, string], options: object) => void
}

/** What the host has answered: JSON, and bytes in base64. */
export type HostAnswer = { head: unknown; bytes: string }

export type Call = (op: string, head?: unknown, bytes?: string) => HostAnswer
/** Tells the host without waiting until it has heard: what is called afterwards comes there afterwards. */
export type Tell = (op: string, head: unknown, bytes: string) => void

const { parse, stringify } = JSON

export function createCalls(host: Host): { call: Call; tell: Tell } {
  const options = frozenOptions()
  return {
    call(op, head = null, bytes = '') {
      const text = host.applySync(undefined, [op, stringify(head), bytes], options)
      const end = text.indexOf('\n')
      const answer: unknown = parse(text.slice(1, end))
      if (text.startsWith('!')) throw hostError(answer as { name: string; message: string })
      return { head: answer, bytes: text.slice(end + 1) }
    },
    tell: (op, head, bytes) => host.applyIgnored(undefined, [op, stringify(head), bytes], options),
  }
}

function frozenOptions(): object {
  return bare({ arguments: bare({ copy: true }), result: bare({ copy: true }) })
}

function bare(properties: object): object {
  return Object.freeze(Object.assign(Object.create(null), properties))
}

const kinds: Record<string, new (message: string) => Error> = { TypeError, RangeError, SyntaxError }

/** Errors cross as name and message. */
export function hostError({ name, message }: { name: string; message: string }): Error {
  const error = new (kinds[name] ?? Error)(message)
  if (!(name in kinds)) Object.defineProperty(error, 'name', { value: name, configurable: true })
  return error
}
