import assert from 'node:assert/strict'
import { program } from './executor.ts'
import { caller } from './stage.ts'

/** What an expression gives in a function, and here, where the same names are Node's. */
export async function bothWays(expression: string): Promise<void> {
  const source = `async () => { try { return await (${expression}) } catch (e) { return e.name } }`
  const { end, text } = await caller.run(program(`async ({ res }) => res.json(await (${source})())`))
  assert.equal(end.failure, null, expression)
  const here = await new Function(`return (${source})()`)()
  assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(here) ?? 'null'), expression)
}
