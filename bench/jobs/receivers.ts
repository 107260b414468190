/** Receivers of webhooks, each on a port of its own. They note when which event came; the last of them may hang. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beginPart, tell } from '../parts.ts'

/** When each event came, in milliseconds of the clock: `receiver event` → times. */
export type Arrivals = Record<string, number[]>

const { count, hanging } = beginPart<{ count: number; hanging: number }>()
let arrivals: Arrivals = {}

const urls = await Promise.all(
  Array.from({ length: count }, async (_, place) => {
    const server = createServer((request, response) => {
      const key = `${place} ${request.headers['webhook-id']}`
      arrivals[key] = [...(arrivals[key] ?? []), performance.timeOrigin + performance.now()]
      request.resume()
      if (place !== hanging) response.end()
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }),
)

process.on('message', () => {
  tell(arrivals)
  arrivals = {}
})
tell({ url: urls.join(' ') })
