import type { Build } from '../engine.ts'
import type { LogLine } from '../protocol.ts'

/** Most bytes of a build's log, and of one line. */
const logBytes = 64 * 1024
const lineBytes = 4_000
/** Builds that run at a time. */
const builds = 2

/** What a build says, up to a limit; the last line says that there were more. */
export function capped(onLine: (line: LogLine) => void): (line: LogLine) => void {
  let left = logBytes
  return (line) => {
    if (left <= 0) return
    const text = line.text.length > lineBytes ? `${line.text.slice(0, lineBytes).toWellFormed()} …` : line.text
    left -= Buffer.byteLength(text) + 1
    onLine(left > 0 ? { ...line, text } : { ...line, text: 'There are more lines than a log has room for.' })
  }
}

/** A build waits until there is room for it. */
export function queued(build: Build): Build {
  let running = 0
  const waiting: (() => void)[] = []
  return async (frame, archive, onLine, signal) => {
    if (running >= builds) await new Promise<void>((resolve) => waiting.push(resolve))
    else running += 1
    try {
      signal.throwIfAborted()
      return await build(frame, archive, onLine, signal)
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
