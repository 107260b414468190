import type { LogLine } from '../../protocol.ts'
import { limits } from '../messages.ts'

/** What a run has said, up to the limits; the rest is counted. */
export function createLogs() {
  const lines: LogLine[] = []
  let bytes = 0
  let dropped = 0
  return {
    add(level: LogLine['level'], text: string): void {
      bytes += Buffer.byteLength(text)
      if (lines.length < limits.logLines && bytes <= limits.logBytes) lines.push({ at: Date.now(), level, text })
      else dropped += 1
    },
    lines,
    dropped: () => dropped,
  }
}

export type Logs = ReturnType<typeof createLogs>
