import { limits } from '../isolate/messages.ts'
import type { LogLine } from '../protocol.ts'

const maxLineCharacters = 8_192

export type Log = {
  say: (level: LogLine['level'], text: string) => void
  /** Bytes as they come, cut into lines. */
  write: (bytes: Buffer) => void
  end: () => { logs: LogLine[]; logsDropped: number }
}

/** The lines of one run. What is over the limits is counted, and left out. */
export function createLog(): Log {
  const logs: LogLine[] = []
  let logsDropped = 0
  let bytes = 0
  const say = (level: LogLine['level'], text: string) => {
    if (logs.length >= limits.logLines || bytes >= limits.logBytes) {
      logsDropped += 1
      return
    }
    const cut = text.length > maxLineCharacters ? `${text.slice(0, maxLineCharacters)}…` : text
    bytes += Buffer.byteLength(cut)
    logs.push({ at: Date.now(), level, text: cut })
  }
  const lines = createLines((line) => say('error', line))
  return {
    say,
    write: lines.write,
    end() {
      lines.end()
      return { logs, logsDropped }
    },
  }
}

/** Cuts a stream of bytes into lines. */
export function createLines(onLine: (line: string) => void): { write: (bytes: Buffer) => void; end: () => void } {
  const decoder = new TextDecoder()
  let rest = ''
  return {
    write(bytes) {
      const parts = (rest + decoder.decode(bytes, { stream: true })).split('\n')
      rest = (parts.pop() ?? '').slice(-64 * 1024)
      for (const part of parts) onLine(part.replace(/\r$/, ''))
    },
    end() {
      if (rest) onLine(rest)
      rest = ''
    },
  }
}
