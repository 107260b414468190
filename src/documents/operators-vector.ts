import { type Bounds, boundsSql, parseBounds } from './bounds.ts'
import type { Operator, Operators, Subject } from './operator.ts'
import { requireLiteral } from './slots.ts'
import { operandParam, parseOperand } from './values.ts'

/** How vectors are compared, by pgvector's sign for it. */
const signs = { EUCLIDEAN: '<->', COSINE: '<=>', DOT: '<#>' } as const

export type Measure = keyof typeof signs

export function measureOf(given: unknown): Measure {
  const measure = requireLiteral(given)
  return measure === 'COSINE' || measure === 'DOT' ? measure : 'EUCLIDEAN'
}

/** How far a vector is from another one. By DOT it is the negative inner product, as pgvector has it. */
export function vectorDistanceSql({ name, param }: Pick<Subject, 'name' | 'param'>, from: unknown, measure: Measure) {
  return `(${name} ${signs[measure]} ${param(operandParam({ type: 'VECTOR' }, from), 'vector')})`
}

type Distance = { from: unknown; measure: Measure; bounds: Bounds }

const distance: Operator = {
  parse: (_column, value, at) => {
    const { from, measure } = requireLiteral(value) as { from: unknown; measure?: unknown }
    return {
      from: parseOperand({ type: 'VECTOR' }, from, [...at, 'from']),
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
