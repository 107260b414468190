import type { Context } from '../context.ts'
import { type Caller, watchCaller } from './caller.ts'

/**
 * `watchCaller` for a transport that takes a fresh credential while it lasts: whoever it names is watched from then on, and
 * what becomes of the one before is of no account any more.
 */
export function watchRenewed(ctx: Context, onChange: () => void): Caller {
  const { renewals } = ctx
  let caller = watchCaller(ctx, onChange)
  const renew = (renewed: Context) => {
    const before = caller
    caller = watchCaller(renewed, onChange)
    before.close()
    onChange()
  }
  const current = async (): ReturnType<Caller['current']> => {
    const asked = caller
    try {
      const actor = await asked.current()
      return asked === caller ? actor : current()
    } catch (error) {
      if (asked === caller) throw error
      return current()
    }
  }
  renewals?.add(renew)
  const close = () => {
    renewals?.delete(renew)
    caller.close()
  }
  return {
    get key() {
      return caller.key
    },
    actor: () => caller.actor(),
    isStale: () => caller.isStale(),
    current,
    close,
  }
}
