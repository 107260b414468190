import type { LogLine } from '../../protocol.ts'
import { limits } from '../messages.ts'

/** So long after a line it is told, in case that this process dies before the end of the run. */
const tellMs = 20

/** What a run has said, up to the limits; the rest is counted. */
export function createLogs(tell: (lines: LogLine[]) => void) {
  const lines: LogLine[] = []
  let bytes = 0
  let dropped = 0
  let told = 0
  let timer: NodeJS.Timeout | undefined
  const tellRest = () => {
    timer = undefined
    tell(lines.slice(told))
    told = lines.length
  }
  return {
    add(level: LogLine['level'], text: string): void {
      bytes += Buffer.byteLength(text)
      if (lines.length < limits.logLines && bytes <= limits.logBytes) {
        lines.push({ at: Date.now(), level, text })
        timer ??= setTimeout(tellRest, tellMs)
      } else dropped += 1
    },
    lines,
    dropped: () => dropped,
    /** It is over: whoever hears that hears all of them. */
    close: () => clearTimeout(timer),
  }
}

export type Logs = ReturnType<typeof createLogs>
