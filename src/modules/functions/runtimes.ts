import type { Context } from '../../context.ts'
import { Invalid } from '../../errors.ts'
import type { RuntimeState } from '../../platform/sandbox.ts'

/** Those that run in isolates: they start in milliseconds. All others run in Docker. */
const isolates = ['javascript', 'typescript']
const inDocker = /^(node|python|php|ruby|go|java|dart|deno|bun)(-\d{1,3}(\.\d{1,3}){0,2})?$/

export function isIsolate(runtime: string): boolean {
  return isolates.includes(runtime)
}

/** A runtime may be named before an executor that has it is there; names that nobody knows are refused. */
export function requireRuntime({ sandbox }: Pick<Context, 'sandbox'>, runtime: string): string {
  const isKnown =
    isIsolate(runtime) || inDocker.test(runtime) || sandbox.runtimes().some(({ name }) => name === runtime)
  if (!isKnown) throw new Invalid(`“${runtime}” is not a runtime: see \`runtimes\`.`, ['input', 'runtime'])
  return runtime
}

/** Those of isolates are told even while no executor is there. */
export function knownRuntimes({ sandbox }: Pick<Context, 'sandbox'>): RuntimeState[] {
  const there = sandbox.runtimes()
  const absent = isolates
    .filter((name) => !there.some((runtime) => runtime.name === name))
    .map((name): RuntimeState => {
      return { name, engine: 'isolate', unavailable: 'No executor of functions can be reached.' }
    })
  return [...absent, ...there]
}
