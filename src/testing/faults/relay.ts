import { startRelay } from '../../../workers/relay.ts'
import { runPart, tell } from './part.ts'

await runPart(async (app) => {
  const relay = startRelay(app)
  let told = false
  const watch = setInterval(() => {
    if (relay.isLeader() === told) return
    told = !told
    tell({ leader: told })
  }, 20)
  return async () => {
    clearInterval(watch)
    await relay.stop()
  }
})
