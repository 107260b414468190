/** Codes of Node's sockets, PostgreSQL (by class, for some) and Prisma that mean: not now, and nothing was done. */
const codes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
  // Statement timeout, lock timeout, serialization failure, deadlock, read-only after a failover, disk or memory full.
  ...['57014', '55P03', '40001', '40P01', '25006'],
  ...['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2028', 'P2034', 'P2037'],
])
const classes = /^(08|53|57P)/

/** What drivers say only in words: pg, Prisma's adapter, ioredis. */
const words =
  /^(timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error|Cannot use a pool after calling end|Query read timeout|Connection is closed|Stream isn't writeable|Reached the max retries per request)/i

const kinds = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
  'TransactionWriteConflict',
])

/**
 * Whether PostgreSQL or Redis was not there, was full or took too long, in contrast to having been asked something
 * wrong. Looks through the causes, since each library wraps what it was told.
 */
export function isUnavailable(error: unknown): boolean {
  let current = error
  for (let depth = 0; depth < 8 && typeof current === 'object' && current !== null; depth += 1) {
    const { code, originalCode, kind, name, message, cause, meta, errors } = current as Record<string, unknown>
    if ([code, originalCode].some((text) => typeof text === 'string' && (codes.has(text) || classes.test(text))))
      return true
    if (typeof kind === 'string' && kinds.has(kind)) return true
    if (name === 'PrismaClientInitializationError') return true
    if (typeof message === 'string' && words.test(message)) return true
    // Connecting to a name of several addresses fails with one error for each of them.
    if (Array.isArray(errors) && errors.length > 0) return errors.every(isUnavailable)
    current = cause ?? (meta as { driverAdapterError?: unknown } | undefined)?.driverAdapterError
  }
  return false
}
