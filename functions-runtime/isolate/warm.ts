import { usualMemoryMb } from './bundle.ts'
import { warmUpId } from './messages.ts'
import type { Sandbox } from './process.ts'

const functions = Array.from({ length: 1_500 }, (_, i) => `function f${i}(a) { return a + ${i} }`).join('\n')
const text = `var __function=(()=>{${functions}\nreturn{default:async({req,res})=>res.json({is:f1(1),by:req.method})}})()`
const program = Buffer.from(text)

/**
 * Has a process that nobody has taken yet run something as large as a function with a few packages, by the same way as all, so that
 * the first run of a tenant does not wait until everything there is compiled and in memory. It takes an isolate of its own, which
 * the process lets go again.
 */
export function warmUp({ send }: Sandbox): void {
  const wanted = { functionId: '', program: warmUpId, memoryMb: usualMemoryMb / 2 }
  const request = { method: 'POST', url: '/', headers: {} }
  const rest = { timeoutMs: 1_000, variables: {}, isStreamed: false }
  send({ kind: 'program', program: warmUpId }, program)
  send({ kind: 'prepare', ...wanted })
  send({ kind: 'run', id: warmUpId, request, ...wanted, ...rest }, Buffer.from('{}'))
}
