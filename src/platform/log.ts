import pino, { type Logger } from 'pino'

export type Log = Logger

/** One JSON object a line. What may carry a secret is cut out, whoever logs it. */
export function createLog(level: string, name: string): Log {
  return pino({
    name,
    level,
    base: { name },
    redact: {
      paths: ['authorization', 'password', 'secret', 'token', '*.authorization', '*.password', '*.secret', '*.token'],
      censor: '[cut]',
    },
  })
}
