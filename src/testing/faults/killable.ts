import type { Server } from '../../servers/lifeline.ts'
import { createLink, type Link } from './link.ts'

/** A server that a test may kill and start again. Whoever uses it is behind a link, and does not see that its port is another. */
export type Killable = {
  /** The server itself, for whoever watches. */
  url: () => string
  /** A way to it of its own, to be cut by itself. Answers the URL at its near end. */
  link: () => Promise<Link & { url: string }>
  kill: () => Promise<void>
  /** Starts it again, unless it runs. */
  start: () => Promise<void>
  stop: () => Promise<void>
}

export async function createKillable(begin: () => Promise<Server>): Promise<Killable> {
  const links: Link[] = []
  let server = await begin()
  let ended = false
  const watch = () => {
    const mine = server
    ended = false
    const over = () => {
      if (mine === server) ended = true
    }
    mine.ended.then(over, over)
  }
  watch()
  const portOf = () => Number(new URL(server.url).port)
  return {
    url: () => server.url,
    link: async () => {
      const link = await createLink(portOf())
      links.push(link)
      return { ...link, url: Object.assign(new URL(server.url), { port: String(link.port) }).href }
    },
    kill: async () => {
      if (!ended && server.pid !== null) process.kill(server.pid, 'SIGKILL')
      await server.ended.catch(() => {})
      await server.stop()
    },
    start: async () => {
      if (!ended) return
      await server.stop()
      server = await begin()
      watch()
      for (const link of links) link.leadTo(portOf())
    },
    stop: async () => {
      for (const link of links) link.close()
      await server.stop()
    },
  }
}
