import { createRandom } from '../faults/faults.ts'

/** Choices that a seed repeats. */
export type Random = {
  chance: (probability: number) => boolean
  /** A whole number from 0 to `count - 1`. */
  below: (count: number) => number
  pick: <T>(list: readonly T[]) => T
}

export function randomOf(seed: string | number): Random {
  const next = createRandom(typeof seed === 'number' ? seed : hash(seed))
  const below = (count: number) => Math.floor(next() * count)
  return {
    chance: (probability) => next() < probability,
    below,
    pick: (list) => {
      if (list.length === 0) throw new Error('There is nothing to pick from.')
      return list[below(list.length)] as (typeof list)[number]
    },
  }
}

/** The same number for the same text (FNV-1a). */
export function hash(text: string): number {
  let state = 0x811c9dc5
  for (const byte of Buffer.from(text)) state = Math.imul(state ^ byte, 0x01000193)
  return state >>> 0
}
