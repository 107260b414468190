import type { DeploymentStatus } from '../../../prisma/client/client.ts'
import { type Needs, requireNeeds } from '../../changes/needs.ts'
import { watchRenewed } from '../../changes/renewed.ts'
import type { Context } from '../../context.ts'
import { Invalid } from '../../errors.ts'
import { leavable } from '../../lib/leavable.ts'
import { createSignal } from '../../lib/signal.ts'
import { getDeployment } from './deployments.ts'

/** New lines of a build. `cursor`: where to go on behind them. */
export type LogPart = { cursor: string; lines: readonly string[]; status: DeploymentStatus }

/** The row is what is true; it is looked at when Redis rings, and besides, for a bell may be lost. */
const everyMs = 1_000
const channelOf = (id: string) => `deployment:${id}`

/** Tells whoever listens that there are lines. */
export function ring({ peers }: Pick<Context, 'peers'>, id: string): void {
  void peers.tell(channelOf(id), {}).catch(() => {})
}

/** The lines of a build as they come, from the beginning or behind a cursor, up to its end. */
export async function watchLog(
  ctx: Context,
  id: string,
  after: string | null | undefined,
  needs: Needs,
): Promise<AsyncIterableIterator<LogPart>> {
  let at = readCursor(after)
  const signal = createSignal()
  const caller = watchRenewed(ctx, signal.raise)
  const bell = ctx.peers.listen(channelOf(id), signal.raise)
  const timer = setInterval(signal.raise, everyMs)
  let left = false
  const leave = () => {
    left = true
    clearInterval(timer)
    bell.close()
    caller.close()
    signal.raise()
  }
  const read = async () => {
    const actor = await caller.current()
    requireNeeds(ctx, actor, needs, () => String(at))
    return getDeployment({ ...ctx, actor }, id)
  }
  await read().catch((error) => {
    leave()
    throw error
  })
  async function* generate(): AsyncGenerator<LogPart, undefined> {
    let told: DeploymentStatus | null = null
    while (!left) {
      const { buildLog, status } = await read()
      // It is built anew.
      if (buildLog.length < at) at = 0
      // The last line may not be whole yet.
      const end = buildLog.lastIndexOf('\n') + 1
      const lines = buildLog.slice(at, end).split('\n').slice(0, -1)
      at = Math.max(at, end)
      if (lines.length > 0 || status !== told) yield { cursor: String(at), lines, status }
      told = status
      if (status === 'READY' || status === 'FAILED') return
      await signal.wait()
    }
  }
  return leavable(generate(), leave)
}

function readCursor(after: string | null | undefined): number {
  if (after == null) return 0
  if (!/^\d{1,9}$/.test(after)) throw new Invalid('This is no cursor of a log.', ['after'])
  return Number(after)
}
