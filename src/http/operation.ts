import { Invalid, LimitExceeded } from '../errors.ts'
import { limits } from './limits.ts'
import { checkValue, parseJson } from './values.ts'

/** What a client asks for, whatever it came by. */
export type Operation = {
  query: string
  operationName?: string
  variables?: Record<string, unknown>
  extensions?: Record<string, unknown>
}

const known = new Set(['query', 'operationName', 'variables', 'extensions'])

/** One operation out of a JSON body, a query string or a WebSocket message. */
export function readOperation(given: unknown): Operation {
  if (!isObject(given)) throw new Invalid('An operation is an object with `query`, `variables` and `operationName`.')
  const unknown = Object.keys(given).find((key) => !known.has(key))
  if (unknown !== undefined)
    throw new Invalid('An operation has `query`, `variables`, `operationName` and `extensions`, no more.')
  const { query, operationName, variables, extensions } = given
  if (typeof query !== 'string' || query.trim() === '')
    throw new Invalid('`query` must be the text of an operation.', ['query'])
  if (operationName != null && typeof operationName !== 'string')
    throw new Invalid('`operationName` must be text.', ['operationName'])
  return {
    query,
    ...(operationName ? { operationName } : {}),
    ...readObject('variables', variables),
    ...readObject('extensions', extensions),
  }
}

/** A body: one operation, or an array of them, which is answered with an array however short it is. */
export function readBody(bytes: Buffer): Operation | Operation[] {
  const given = parseJson(bytes)
  if (!Array.isArray(given)) return readOperation(given)
  if (given.length === 0) throw new Invalid('A batch needs at least one operation.')
  if (given.length > limits.batch) throw new LimitExceeded(`A batch may have ${limits.batch} operations.`)
  return given.map(readOperation)
}

/** A query string, in which variables and extensions are JSON. */
export function readQueryString(search: URLSearchParams): Operation {
  const json = (name: string) => {
    const text = search.get(name)
    return text ? { [name]: parseJson(text) } : {}
  }
  return readOperation({
    query: search.get('query') ?? undefined,
    operationName: search.get('operationName') ?? undefined,
    ...json('variables'),
    ...json('extensions'),
  })
}

function readObject(name: 'variables' | 'extensions', value: unknown): Partial<Operation> {
  if (value == null) return {}
  if (!isObject(value)) throw new Invalid(`\`${name}\` must be an object.`, [name])
  checkValue(value, `\`${name}\``)
  return { [name]: value }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
