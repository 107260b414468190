/** The isolate runtime: runs of JavaScript in a process per tenant. This side holds no isolate. */
import { type Engine, failed, type Perform, RunError } from '../engine.ts'
import type { RuntimeState } from '../protocol.ts'
import type { Settings } from '../settings.ts'
import { bundleSandbox } from './bundle.ts'
import { createPool, type Pool } from './pool.ts'
import { prepareIn, runIn } from './run.ts'
import { whyUnsealed } from './seal.ts'

type IsolateEngine = Engine & {
  /** Whether bubblewrap is around the sandboxes. */
  isSealed: () => boolean
}

type Options = { settings: Settings; perform: Perform }

const names = ['javascript', 'typescript']

export function createIsolateEngine({ settings, perform }: Options): IsolateEngine {
  // Without a secret nobody can ask for a run.
  const isUsed = settings.secret !== ''
  const unsealed = isUsed ? whyUnsealed() : 'nothing is run here'
  if (isUsed && unsealed) process.stderr.write(warning(unsealed))
  const pool: Promise<Pool> | null = isUsed
    ? bundleSandbox().then((program) =>
        createPool({
          program,
          isSealed: unsealed === null,
          memoryMb: settings.sandboxMemoryMb,
          maxProcesses: settings.processes,
        }),
      )
    : null
  pool?.catch((error: Error) => process.stderr.write(`Functions cannot run in isolates: ${error.message}\n`))
  const runtimes: RuntimeState[] = names.map((name) => ({ name, engine: 'isolate', unavailable: null }))

  return {
    name: 'isolate',
    runtimes: () => runtimes,
    isSealed: () => unsealed === null,
    async run(call) {
      const { tenant, limits } = call.run
      if (!pool) throw new RunError('UNAVAILABLE', 'Nothing is run here.')
      // A process may have to be started: its program comes meanwhile.
      const coming = call.artefact()
      coming.catch(() => {})
      const processes = await pool
      const held = await processes.acquire(tenant, limits.isTrusted)
      try {
        const artefact = await coming
        if (call.signal.aborted) return failed({ reason: 'CRASHED', message: 'Cancelled.', stack: null })
        const result = await runIn(held, call, artefact, perform)
        if (result.end.isCold && result.end.response)
          processes.compile(call.run.program.artefact, limits.isTrusted, artefact)
        return result
      } finally {
        processes.release(held)
      }
    },
    async prepare(frame, artefact) {
      const coming = artefact()
      coming.catch(() => {})
      const held = await (await pool)?.find(frame.tenant, frame.limits.isTrusted)
      if (held) prepareIn(held, frame, await coming)
    },
    async built(artefact, bytes) {
      ;(await pool)?.compile(artefact, false, bytes)
    },
    async close() {
      ;(await pool?.catch(() => null))?.close()
    },
  }
}

const warning = (why: string) =>
  `WARNING: functions run without the walls of bubblewrap: ${why}. Their processes see this machine's files and network. ` +
  'Run only code that you trust, or install bubblewrap and allow user namespaces.\n'
