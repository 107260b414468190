import type { Tracing } from '../../src/platform/tracing.ts'

/** Notes in their traces that events have come this far, since when they were under way. */
export function noteTraces(
  tracing: Tracing,
  name: string,
  events: readonly { trace?: string | null | undefined; at: Date }[],
): void {
  if (!tracing.isOn) return
  for (const { trace, at } of events) if (trace) tracing.note(name, trace, at)
}
