import type { Context } from '../../context.ts'
import { Invalid } from '../../errors.ts'
import type { RuntimeState } from '../../platform/sandbox.ts'

/** Those that run in isolates: they start in milliseconds. All others run in Docker. */
export const isolates: readonly string[] = ['javascript', 'typescript']
const families = ['node', 'python', 'php', 'ruby', 'go', 'java', 'dart', 'deno', 'bun']
const inDocker = new RegExp(`^(${families.join('|')})(-\\d{1,3}(\\.\\d{1,3}){0,2})?$`)

export function isIsolate(runtime: string): boolean {
  return isolates.includes(runtime)
}

/** A runtime may be named before an executor that has it is there; names that nobody knows are refused. */
export function requireRuntime({ sandbox }: Pick<Context, 'sandbox'>, runtime: string): string {
  const there = sandbox.runtimes().map(({ name }) => name)
  if (isIsolate(runtime) || inDocker.test(runtime) || there.includes(runtime)) return runtime
  const named = [...new Set([...isolates, ...there])].join(', ')
  const message = `“${runtime}” is not a runtime. There are ${named}; and, once they are offered, all of ${families.join(', ')} with a version, as node-22.`
  throw new Invalid(message, ['input', 'runtime'])
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
