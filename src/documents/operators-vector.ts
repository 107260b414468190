import { Invalid } from '../errors.ts'
import { type Bounds, boundsSql, parseBounds } from './bounds.ts'
import type { Operator, Operators, Subject, Typed } from './operator.ts'
import { requireLiteral, whenGiven } from './slots.ts'
import { operandParam, parseOperand } from './values.ts'

/** How vectors are compared, by pgvector's sign for it. */
const signs = { EUCLIDEAN: '<->', COSINE: '<=>', DOT: '<#>' } as const

export type Measure = keyof typeof signs

export function measureOf(given: unknown): Measure {
  const measure = requireLiteral(given)
  return measure === 'COSINE' || measure === 'DOT' ? measure : 'EUCLIDEAN'
}

type Vectors = Pick<Subject, 'name' | 'param'>

/**
 * How far a vector is from another one. By DOT it is the negative inner product, as pgvector has it. An index of vectors
 * does not know all that are near, so no order by this is one that an index has: `+ 0` sees to it.
 */
export function vectorDistanceSql(vectors: Vectors, from: unknown, measure: Measure): string {
  return `(${indexedDistanceSql(vectors, from, measure)} + 0)`
}

/** The same as an index has it. */
export function indexedDistanceSql({ name, param }: Vectors, from: unknown, measure: Measure): string {
  return `(${name} ${signs[measure]} ${param(operandParam({ type: 'VECTOR' }, from), 'vector')})`
}

/** The vector that others of a column are compared with: of as many numbers as they. */
export function parseOrigin({ type, dimensions }: Typed, value: unknown, at: readonly string[]): unknown {
  return whenGiven(parseOperand({ type }, value, at), (given) => {
    if ((given as readonly number[]).length !== dimensions) throw new Invalid(`This has ${dimensions} numbers.`, at)
    return given
  })
}

type Distance = { from: unknown; measure: Measure; bounds: Bounds }

const distance: Operator = {
  parse: (column, value, at) => {
    const { from, measure } = requireLiteral(value) as { from: unknown; measure?: unknown }
    return {
      from: parseOrigin(column, from, [...at, 'from']),
      measure: measureOf(measure),
      bounds: parseBounds(value, at, (given) => given),
    }
  },
  sql: (subject, operand) => {
    const { from, measure, bounds } = operand as Distance
    return boundsSql(vectorDistanceSql(subject, from, measure), bounds, (value) => subject.param(value, 'float8'))
  },
}

export const vectorOperators: Operators = { distance }
