import type { Services } from '../../context.ts'
import { readAnswer } from '../../platform/statements.ts'
import type { Image } from '../image.ts'
import type { ImagesStatement } from '../images-sql.ts'

/** Reads logged rows with what they lead to. `name` names the row: who asks for the same at the same time is answered together. */
export type Related = {
  read: (statement: ImagesStatement, brought: readonly (string | null)[], name: string, image: Image) => Promise<string>
  /** How many rows wait for an answer. */
  waiting: () => number
}

type Asked = {
  image: Image
  brought: readonly (string | null)[]
  answer: Promise<string>
  resolve: (text: string) => void
  reject: (error: unknown) => void
}
type Line = { statement: ImagesStatement; asked: Map<string, Asked>; running: boolean }

/** Rows that one statement reads. */
const most = 500

/** One statement at a time for each text, about all rows that were asked for while the one before it ran. */
export function createRelated({ sql, shares }: Pick<Services, 'sql' | 'shares'>, projectId: string): Related {
  const lines = new Map<string, Line>()
  let waiting = 0

  const ask = async ({ text, values }: ImagesStatement, batch: readonly Asked[]) => {
    try {
      const rows = batch.map(({ image, brought }, place) => ({ place, image, ...named(brought) }))
      const bound = [JSON.stringify(rows), ...values.slice(1)]
      const answer = await shares.run(projectId, () => readAnswer(sql, text, bound))
      const answers = JSON.parse(answer ?? '[]') as string[]
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i] ?? 'null')
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
  const run = async (key: string, line: Line) => {
    line.running = true
    // What is asked for in the same turn goes along.
    await new Promise(setImmediate)
    while (line.asked.size > 0) {
      const batch = [...line.asked].slice(0, most)
      for (const [name] of batch) line.asked.delete(name)
      await ask(
        line.statement,
        batch.map(([, asked]) => asked),
      )
      waiting -= batch.length
    }
    lines.delete(key)
  }
  const read: Related['read'] = (statement, brought, name, image) => {
    const key = `${statement.text}\n${JSON.stringify(statement.values)}`
    const line = lines.get(key) ?? { statement, asked: new Map<string, Asked>(), running: false }
    lines.set(key, line)
    const entry = `${name}\n${JSON.stringify(brought)}`
    const known = line.asked.get(entry)
    if (known) return known.answer
    const { promise: answer, resolve, reject } = Promise.withResolvers<string>()
    line.asked.set(entry, { image, brought, answer, resolve, reject })
    waiting += 1
    if (!line.running) void run(key, line)
    return answer
  }
  return { read, waiting: () => waiting }
}

function named(brought: readonly (string | null)[]): Record<string, string | null> {
  return Object.fromEntries(brought.map((value, i) => [`v${i}`, value]))
}
