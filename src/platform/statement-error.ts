/**
 * What PostgreSQL ends a connection with, and a pooler before it: connection, login and shutdown, transactions that idle or
 * take too long, too many connections, broken files and bugs.
 */
const ends = /^(08|25P|28|3D|57P|58|F0|XX|53300)/

/**
 * Whether PostgreSQL refused a statement and has kept the connection. It is told by the code, since the severity that pg hands
 * on is a word in the language of the server.
 */
export function isStatementError(error: unknown): boolean {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  // Errors of sockets have a code too, and no severity.
  return typeof severity === 'string' && typeof code === 'string' && !ends.test(code)
}
