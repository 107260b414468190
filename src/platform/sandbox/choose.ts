import { hash } from 'node:crypto'
import type { Link } from './link.ts'

/**
 * The order in which executors are asked for a tenant: rendezvous hashing. Each tenant has an order of its own, and the rest
 * of it stays when one comes or goes, so that what is warm stays warm.
 */
export function rankFor<T extends { url: string }>(tenant: string, executors: readonly T[]): T[] {
  if (executors.length < 2) return [...executors]
  const scored = executors.map((executor) => ({ executor, score: hash('sha1', `${executor.url} ${tenant}`, 'hex') }))
  return scored.sort((a, b) => (a.score < b.score ? 1 : -1)).map(({ executor }) => executor)
}

/** What a link's executor says of a runtime. */
export const stateOf = (link: Link, runtime: string) => link.welcome()?.runtimes.find(({ name }) => name === runtime)

/** Why a link's executor cannot run this at present; null when it can. */
export function whyNot(link: Link, runtime: string): string | null {
  const state = stateOf(link, runtime)
  return state ? state.unavailable : `The runtime “${runtime}” is not there.`
}
