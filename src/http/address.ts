import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'
import { LRUCache } from 'lru-cache'

type Range = ReturnType<typeof ipaddr.parseCIDR>

/**
 * Reads the address that a request came from. Where a trusted proxy (an address, or a CIDR) passed it on, that is the
 * right-most entry of X-Forwarded-For that no trusted proxy has: what stands left of it is only what the client said.
 */
export function addressReader(trustedProxies: readonly string[]): (req: IncomingMessage) => string {
  const ranges = trustedProxies.map(parseRange)
  const isTrusted = (address: string) => {
    const parsed = ipaddr.process(address)
    return ranges.some((range) => range[0].kind() === parsed.kind() && parsed.match(range))
  }
  // The last hop of most requests is the same few proxies or clients.
  const known = new LRUCache<string, string>({ max: 10_000 })
  return (req) => {
    const forwarded = req.headers['x-forwarded-for']
    const key = `${req.socket.remoteAddress} ${forwarded ?? ''}`
    const found = known.get(key) ?? addressOf(req)
    if (key.length < 200) known.set(key, found)
    return found
  }

  function addressOf(req: IncomingMessage): string {
    let address = normalize(req.socket.remoteAddress) ?? '0.0.0.0'
    const hops = String(req.headers['x-forwarded-for'] ?? '').split(',')
    while (isTrusted(address)) {
      const before = normalize(hops.pop()?.trim())
      if (!before) break
      address = before
    }
    return address
  }
}

function parseRange(text: string): Range {
  try {
    return text.includes('/')
      ? ipaddr.parseCIDR(text)
      : ipaddr.parseCIDR(`${text}/${ipaddr.parse(text).kind() === 'ipv4' ? 32 : 128}`)
  } catch {
    throw new Error(`TRUSTED_PROXIES: ${text} is neither an address nor a CIDR.`)
  }
}

/** One way to write each address, IPv4 within IPv6 as IPv4; undefined for what is none. */
function normalize(text: string | undefined): string | undefined {
  return text && ipaddr.isValid(text) ? ipaddr.process(text).toString() : undefined
}
