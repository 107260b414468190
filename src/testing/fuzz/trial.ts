import type { Principal } from './data.ts'
import type { Printed } from './tree.ts'

/** An operation that told what its caller may not know, or that two ways of running it answer in two ways. */
export type Finding = Printed & {
  /** Whether the answer itself differs, or what can be read after it, or the answers of two paths. */
  what: 'answer' | 'view' | 'path'
  a: string
  b: string
}

export type Counts = {
  operations: number
  /** Answers that hold data. */
  telling: number
  mutations: number
  /** Mutations that left an event. */
  changing: number
  /** Answers with the code INTERNAL or UNAVAILABLE: faults, if not of permissions. */
  internal: number
  differences: number
  /** Answers that both paths make of the same bytes, and that they do not. */
  equal: number
  unequal: number
  /** Queries, and those of them that the database answers whole. */
  queries: number
  compiled: number
  /** Answers that were kept ones, of both databases. */
  kept: number
}

/** When a round ends early. */
export type Stop = { stopAtFirst: boolean; signal: AbortSignal }

/** One principal and the two databases that must look the same to them. */
export type Trial = {
  principal: Principal
  counts: Counts
  /** Rows that differ between the databases. */
  hidden: number
  /** Whether they are shown any mutation. */
  mayChange: boolean
  /** Share of what the schema offers that was asked for. */
  coverage: () => number
  findings: Finding[]
  /** Operations that were answered INTERNAL or UNAVAILABLE, by what the log said of them. */
  faults: Map<string, Printed>
  /** Runs this many operations on the databases as they were in the beginning. */
  round: (operations: number, stop: Stop) => Promise<void>
  close: () => Promise<void>
}

export function noCounts(): Counts {
  return {
    operations: 0,
    telling: 0,
    mutations: 0,
    changing: 0,
    internal: 0,
    differences: 0,
    equal: 0,
    unequal: 0,
    queries: 0,
    compiled: 0,
    kept: 0,
  }
}
