import { Invalid } from '../errors.ts'
import { requireLiteral, whenGiven } from './slots.ts'

/** What a number that is computed of a value is compared with: `{ gte: 1, lt: 5 }`. */
export type Bounds = Readonly<Record<string, unknown>>

const signs: Readonly<Record<string, string>> = { eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' }

type Read = (value: unknown, at: readonly string[]) => unknown

/** Of an input whose other keys are for others to read. */
export function parseBounds(input: unknown, at: readonly string[], read: Read): Bounds {
  const given = Object.entries(requireLiteral(input) as object).filter(([name]) => Object.hasOwn(signs, name))
  return Object.fromEntries(
    given.map(([name, value]) => {
      const below = [...at, name]
      if (value === null) throw new Invalid('This must not be null: leave it out instead.', below)
      return [name, whenGiven(value, (one) => read(one, below))]
    }),
  )
}

export function boundsSql(name: string, bounds: Bounds, operand: (value: unknown) => string): string {
  const conditions = Object.entries(bounds).map(([sign, value]) => `${name} ${signs[sign]} ${operand(value)}`)
  return conditions.length === 0 ? `${name} is not null` : conditions.join(' and ')
}
