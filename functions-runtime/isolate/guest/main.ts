/** What every context begins with: it takes the way out, `__host`, and its value is the way in. Each run pays for what is here. */
import { AnswerError, createRes, giveAnswer, isMade, isResponse, type Made } from './answer.ts'
import { createCalls, type Host } from './channel.ts'
import { defineGlobals, web } from './globals.ts'
import { type Asked, createReq, createRequest } from './request.ts'
import { createScope, setScope } from './scope.ts'

type Begin = { request: Asked; variables: Record<string, string>; isStreamed: boolean }
type Program = Record<string, unknown> & { default?: unknown }
/** The text of a program, around which `sandbox/program.ts` has put this. */
type Exporting = (variables: Begin['variables']) => unknown
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

  async function run(program: Exporting): Promise<void> {
    try {
      const begun: Begin = JSON.parse(given[0])
      const later: unknown[] = []
      const answer = await answerOf(await program(begun.variables), { begun, body: given[1], later })
      await giveAnswer(answer, begun.isStreamed, { has: () => later.length > 0, settle: () => settle(later) })
    } catch (error) {
      fail(error)
    }
  }

  defineGlobals(globalThis)
  Object.defineProperty(globalThis, '__run', {
    configurable: true,
    value: (program: Exporting) => {
      takeGlobal('__run')
      void run(program)
    },
  })

  return (id: number, json: string, bytes: string) => {
    if (id === 0) given = [json, bytes]
    else if (id === -1) return scope.leave(unwanted)
    else scope.deliver(id, json, bytes)
    return false
  }
}

const unwanted = () => new (web().events().DOMException)('Nobody waits for the answer any more.', 'AbortError')

function takeGlobal(name: string): unknown {
  const value: unknown = Reflect.get(globalThis, name)
  Reflect.deleteProperty(globalThis, name)
  return value
}

type Res = ReturnType<typeof createRes>
/** What a run has to go by. `later`: what its `waitUntil` was given. */
type Course = { begun: Begin; body: string; later: unknown[] }

async function answerOf(exported: unknown, course: Course): Promise<Made | NonNullable<ReturnType<typeof pick>>> {
  const made: Made[] = []
  const program = (isObject(exported) ? exported : { default: exported }) as Program
  const given = await call(program, course, createRes(made))
  return pick(given, made)
}

const isObject = (value: unknown): value is Program => typeof value === 'object' && value !== null

/** Nothing that is called later happens behind the answer. What goes wrong there is no matter of the answer. */
async function settle(later: unknown[]): Promise<void> {
  while (later.length > 0) {
    for (const one of await Promise.allSettled(later.splice(0))) {
      if (one.status === 'rejected') web().console().error(one.reason)
    }
  }
}

/** Whichever way the program is written: the contract's function, `fetch` as other platforms have it, or one by method. */
function call(program: Program, { begun, body, later }: Course, res: Res): unknown {
  const { request, variables: env } = begun
  const main = mainOf(program)
  if (isFunction(main)) return main(createContext(begun, body, res))
  const waiting = { waitUntil: (one: unknown) => void later.push(handled(one)), passThroughOnException: () => {} }
  const due = request.headers['tendril-scheduled-at']
  const scheduled = isObject(main) && 'scheduled' in main ? main.scheduled : program.scheduled
  if (due !== undefined && isFunction(scheduled)) return tick(scheduled.bind(main ?? program), [due, env, waiting], res)
  const fetching = isObject(main) && 'fetch' in main ? main.fetch : program.fetch
  const method = request.method.toUpperCase()
  const other = isFunction(fetching) ? fetching : byMethod(program, method)
  // No Request can have one of these.
  const isNone = /^(CONNECT|TRACE|TRACK)$/.test(method)
  const allowed = isFunction(fetching) ? methods : methodsOf(program)
  // Pages of other origins ask what they may before they do.
  if (!other || isNone) return res.empty(method === 'OPTIONS' ? 204 : 405, { allow: allowed.join(', ') })
  return other.call(main ?? program, createRequest(request, body), env, waiting)
}

/** What other platforms call by the clock. It answers nothing. */
async function tick(scheduled: Callable, [due, ...rest]: [due: string, ...unknown[]], res: Res): Promise<Made> {
  await scheduled({ type: 'scheduled', scheduledTime: Date.parse(due), noRetry: () => {} }, ...rest)
  return res.empty()
}

/** A module of CommonJS, which is its own default export, may have one, too. Routers seem to have a property of any name. */
function mainOf({ default: main }: Program): unknown {
  return isObject(main) && Object.hasOwn(main, 'default') ? main.default : main
}

/** What goes wrong before it is waited for is told then. */
function handled(given: unknown): Promise<unknown> {
  const promise = Promise.resolve(given)
  promise.catch(() => {})
  return promise
}

const isFunction = (value: unknown): value is Callable => typeof value === 'function'

/** Null where it has a function for other methods only. */
function byMethod(program: Program, method: string): Callable | null {
  const asked = program[method] ?? (method === 'HEAD' ? program.GET : undefined)
  if (isFunction(asked)) return asked
  if (methodsOf(program).length > 0) return null
  throw new AnswerError('INVALID_ANSWER', 'The program has no function as its default export.')
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const methodsOf = (program: Program) => methods.filter((name) => isFunction(program[name]))

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

/** With all that it holds, some of which may throw when it is looked at. */
function shown(error: Error): string {
  try {
    return web().console().inspect(error)
  } catch {
    return String(error.stack)
  }
}

/** “fetch failed” alone says nothing; nor does “Buffer is not defined” to whoever has always had it. */
function explained({ name, message, cause }: Error): string {
  if (name === 'ReferenceError' && /^(Buffer|process|require|module|exports|__\w+name) is not/.test(message))
    return `${message}: it is Node's, and there with the runtime node-22.`
  const why = cause instanceof Error ? String(cause.message) : ''
  return String(message).includes(why) ? String(message) : `${message}: ${why}`
}

/** Whatever was thrown, as strings. Looking at it may throw as well. */
function describe(error: unknown): { name: string; message: string; stack: string | null } {
  try {
    if (error instanceof Error) {
      return {
        name: String(error.name),
        message: explained(error),
        stack: error.stack ? shown(error) : null,
      }
    }
    const text = typeof error === 'object' ? JSON.stringify(error) : String(error)
    return { name: 'Thrown', message: text, stack: null }
  } catch {
    return { name: 'Error', message: 'What was thrown cannot be shown.', stack: null }
  }
}
