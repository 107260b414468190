import { LRUCache } from 'lru-cache'

/** Statements of all operations together. How many shapes of variables one operation meets is its callers' choice. */
const most = { statements: 50_000, characters: 30_000_000 }

/** What lists and objects around a text take besides. */
const around = 500

type Made = { made: unknown; characters: number }

const kept = new LRUCache<string, Made>({
  max: most.statements,
  maxSize: most.characters,
  sizeCalculation: ({ characters }, key) => characters + key.length + around,
})
let operations = 0

/** What is compiled for one operation, by shape. Those that were not used for longest go first, among all operations. */
export function keepCompiled<T extends object>(textsOf: (made: T) => readonly string[]) {
  operations += 1
  const id = operations
  return {
    get: (key: string) => kept.get(`${id} ${key}`)?.made as T | undefined,
    set: (key: string, made: T) => {
      const characters = textsOf(made).reduce((sum, { length }) => sum + length, 0)
      kept.set(`${id} ${key}`, { made, characters })
    },
  }
}
