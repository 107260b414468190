/**
 * What the executor and the shim in a container say to each other, over the container's standard input and output: frames as
 * in protocol.ts (lengths of head and body, 4 bytes each, big-endian; the head as JSON; the body). One run at a time.
 */

/** Larger frames of a container end it. */
const maxHeadBytes = 4 * 1024 * 1024
const maxBodyBytes = 16 * 1024 * 1024
const noFrame = 'The container wrote something that is no frame, or too large a one.'

type Headers = Readonly<Record<string, string>>

export type ToShim =
  /** Runs the function once. The body is the request's. */
  | {
      kind: 'run'
      id: string
      entrypoint: string
      method: string
      url: string
      headers: Headers
      variables: Readonly<Record<string, string>>
      isStreamed: boolean
    }
  /** Nobody waits for the answer of the run any more, which is ended in a moment. Told to those that hear it. */
  | { kind: 'left' }
  /**
   * The answer to a `graphql` or `fetch`; `error` where there is none. The body is that of what was fetched, or JSON with `data`
   * and `errors`.
   */
  | { kind: 'reply'; call: number; error: { name: string; message: string } | null; status: number; headers: Headers }

export type FromShim =
  | { kind: 'ready'; hearsLeft?: boolean }
  | { kind: 'log'; level: 'log' | 'error'; text: string }
  | { kind: 'graphql'; call: number; query: string; variables: unknown }
  /** The body is the request's. */
  | { kind: 'fetch'; call: number; method: string; url: string; headers: Headers; redirect?: string }
  /** A streamed answer begins; `chunk` frames carry its body, `end` ends it. */
  | { kind: 'head'; status: number; headers: Headers }
  | { kind: 'chunk' }
  /** The answer, where the run goes on behind it: it stands, and `end` has no body then. */
  | { kind: 'held'; status: number; headers: Headers }
  /** The body is the answer's, where it was not streamed. `isLast`: the program ends with this run, and takes no other. */
  | { kind: 'end'; status: number; headers: Headers; memoryBytes: number | null; isLast?: boolean }
  | {
      kind: 'failed'
      reason: 'THREW' | 'INVALID_ANSWER'
      message: string
      stack: string | null
      memoryBytes: number | null
      isLast?: boolean
    }

export type ShimFrame = { head: FromShim; body: Buffer }

export function encodeForShim(head: ToShim, body: Buffer = Buffer.alloc(0)): Buffer {
  const text = Buffer.from(JSON.stringify(head))
  const lengths = Buffer.allocUnsafe(8)
  lengths.writeUInt32BE(text.length, 0)
  lengths.writeUInt32BE(body.length, 4)
  return Buffer.concat([lengths, text, body])
}

/** Takes the bytes of an attached container as they come: its standard output as frames, its standard error as it is. Throws on what is neither. */
export function createShimDecoder(onFrame: (frame: ShimFrame) => void, onError: (bytes: Buffer) => void) {
  const output = createSplitter(8, shimFrameBytes, (bytes) => {
    const headEnd = 8 + bytes.readUInt32BE(0)
    onFrame({ head: JSON.parse(bytes.toString('utf8', 8, headEnd)) as FromShim, body: bytes.subarray(headEnd) })
  })
  return demultiplex(output, onError)
}

/** Docker sends both streams of a container over one connection: 1 or 2 for which, three zeros, four bytes of length, the bytes. */
export function demultiplex(onOutput: (bytes: Buffer) => void, onError: (bytes: Buffer) => void) {
  return createSplitter(8, dockerFrameBytes, (bytes) => (bytes[0] === 2 ? onError : onOutput)(bytes.subarray(8)))
}

function dockerFrameBytes(bytes: Buffer): number {
  return 8 + bytes.readUInt32BE(4)
}

function shimFrameBytes(bytes: Buffer): number {
  const head = bytes.readUInt32BE(0)
  const body = bytes.readUInt32BE(4)
  if (head > maxHeadBytes || body > maxBodyBytes) throw new Error(noFrame)
  return 8 + head + body
}

/** Cuts a stream into frames, whose length `bytesOf` reads from their first `prefix` bytes. */
export function createSplitter(prefix: number, bytesOf: (bytes: Buffer) => number, onFrame: (bytes: Buffer) => void) {
  let parts: Buffer[] = []
  let size = 0
  let wanted = prefix
  return (bytes: Buffer): void => {
    parts.push(bytes)
    size += bytes.length
    if (size < wanted) return
    let rest = parts.length === 1 ? bytes : Buffer.concat(parts)
    for (;;) {
      wanted = rest.length < prefix ? prefix : bytesOf(rest)
      if (rest.length < wanted) break
      onFrame(rest.subarray(0, wanted))
      rest = rest.subarray(wanted)
    }
    parts = [rest]
    size = rest.length
  }
}
