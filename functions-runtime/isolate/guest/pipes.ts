import type { AbortSignal } from './events.ts'
import type { Step } from './readable.ts'

export type PipeOptions = {
  preventClose?: boolean
  preventAbort?: boolean
  preventCancel?: boolean
  signal?: AbortSignal
}

type Ends<T> = {
  reader: { read: () => Promise<Step<T>>; releaseLock: () => void }
  writer: {
    readonly ready: Promise<unknown>
    readonly closed: Promise<unknown>
    write: (chunk: T) => Promise<void>
    close: () => Promise<void>
    abort: (reason: unknown) => Promise<void>
    releaseLock: () => void
  }
  /** Ends what is read. */
  cancel: (reason: unknown) => Promise<void>
}

/** Whatever fails on one side ends the other, also while nothing comes. */
export async function pipe<T>({ reader, writer, cancel }: Ends<T>, options: PipeOptions): Promise<void> {
  const { signal } = options
  let halted: { reason: unknown; isAborted: boolean } | null = null as { reason: unknown; isAborted: boolean } | null
  const halt = (reason: unknown, isAborted: boolean) => {
    halted ??= { reason, isAborted }
    // Whoever waits for a chunk hears of it.
    reader.releaseLock()
  }
  const aborted = () => halt(signal?.reason, true)
  if (signal?.aborted) aborted()
  signal?.addEventListener('abort', aborted)
  writer.closed.then(
    () => halt(new TypeError('The stream is closed.'), false),
    (reason) => halt(reason, false),
  )
  let written: Promise<void> = Promise.resolve()
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      written = writer.write(step.value as T)
      written.catch(() => {})
      await writer.ready
    }
    await (options.preventClose ? written : writer.close())
  } catch (error) {
    const reason = halted ? halted.reason : error
    const ends: Promise<unknown>[] = []
    if (!options.preventAbort && (!halted || halted.isAborted)) ends.push(writer.abort(reason))
    if (!options.preventCancel && halted) ends.push(cancel(reason))
    await Promise.allSettled(ends)
    throw reason
  } finally {
    signal?.removeEventListener('abort', aborted)
    reader.releaseLock()
    writer.releaseLock()
  }
}
