/** What every context begins with: it takes the way out, `__host`, and its value is the way in. Each run pays for what is here. */
import { AnswerError, createRes, giveAnswer, isMade, isResponse, type Made } from './answer.ts'
import { createCalls, type Host } from './channel.ts'
import { defineGlobals, web } from './globals.ts'
import { type Asked, createReq, createRequest } from './request.ts'
import { createScope, setScope } from './scope.ts'

type Begin = { request: Asked; variables: Record<string, string>; isStreamed: boolean }
type Program = Record<string, unknown> & { default?: unknown }
type Callable = (...args: unknown[]) => unknown

export function boot() {
  const scope = createScope(createCalls(takeGlobal('__host') as Host), fail)
  setScope(scope)
  let given: [json: string, body: string] = ['', '']

  function fail(error: unknown): void {
    const { name, message, stack } = describe(error)
    const reason = error instanceof AnswerError ? error.reason : 'THREW'
    const text = reason === 'THREW' ? `${name}: ${message}` : message
    scope.call('fail', { reason, message: text.slice(0, 8_192), stack: stack?.slice(0, 16_384) ?? null })
  }

  async function run(program: () => unknown): Promise<void> {
    try {
      const begun: Begin = JSON.parse(given[0])
      await giveAnswer(await answerOf(program(), begun, given[1]), begun.isStreamed)
    } catch (error) {
      fail(error)
    }
  }

  defineGlobals(globalThis)
  Object.defineProperty(globalThis, '__run', {
    configurable: true,
    value: (program: () => unknown) => {
      takeGlobal('__run')
      void run(program)
    },
  })

  return (id: number, json: string, bytes: string) => {
    if (id === 0) given = [json, bytes]
    else scope.deliver(id, json, bytes)
  }
}

function takeGlobal(name: string): unknown {
  const value: unknown = Reflect.get(globalThis, name)
  Reflect.deleteProperty(globalThis, name)
  return value
}

async function answerOf(
  exported: unknown,
  begun: Begin,
  body: string,
): Promise<Made | NonNullable<ReturnType<typeof pick>>> {
  const made: Made[] = []
  const program = (typeof exported === 'object' && exported !== null ? exported : { default: exported }) as Program
  const given = await call(program, begun, body, createRes(made))
  return pick(given, made)
}

/** Whichever way the program is written: the contract's function, `fetch` as other platforms have it, or one by method. */
function call(program: Program, begun: Begin, body: string, res: object): unknown {
  const { request, variables: env } = begun
  const main = program.default
  if (typeof main === 'function') return main(createContext(begun, body, res))
  const fetching = typeof main === 'object' && main !== null && 'fetch' in main ? main.fetch : program.fetch
  const byMethod = program[request.method.toUpperCase()]
  const other = typeof fetching === 'function' ? fetching : byMethod
  if (typeof other !== 'function') {
    throw new AnswerError('INVALID_ANSWER', 'The program has no function as its default export.')
  }
  const waiting = { waitUntil: () => {}, passThroughOnException: () => {} }
  return (other as Callable).call(main ?? program, createRequest(request, body), env, waiting)
}

function createContext({ request, variables }: Begin, body: string, res: object): object {
  return {
    req: createReq(request, body),
    res,
    env: variables,
    log: (...values: unknown[]) =>
      web()
        .console()
        .log(...values),
    error: (...values: unknown[]) =>
      web()
        .console()
        .error(...values),
    get request() {
      return createRequest(request, body)
    },
    get fetch() {
      return web().effects().fetch
    },
    get graphql() {
      return web().effects().graphql
    },
  }
}

function pick(given: unknown, made: readonly Made[]) {
  if (isMade(given) || isResponse(given)) return given
  const [one, ...more] = made
  if (given === undefined && one && more.length === 0) return one
  const message =
    more.length > 0
      ? 'The function answered twice.'
      : 'The function returned no answer: return res.json(…), another of res, or a Response.'
  throw new AnswerError('INVALID_ANSWER', message)
}

/** Whatever was thrown, as strings. Looking at it may throw as well. */
function describe(error: unknown): { name: string; message: string; stack: string | null } {
  try {
    if (error instanceof Error) {
      return {
        name: String(error.name),
        message: String(error.message),
        stack: error.stack ? String(error.stack) : null,
      }
    }
    const text = typeof error === 'object' ? JSON.stringify(error) : String(error)
    return { name: 'Thrown', message: text, stack: null }
  } catch {
    return { name: 'Error', message: 'What was thrown cannot be shown.', stack: null }
  }
}
