/**
 * Loaded before the API where a bug is planted, to show that the run would find it: each is a change of a file's text while
 * the process loads it. `ignore-roles`: rows are given to whoever listens to their collection.
 */
import { registerHooks } from 'node:module'

if (process.env.NODE_ENV !== 'test') throw new Error('Code is changed only where NODE_ENV is "test".')

const file = 'src/documents/fanout/readers.ts'
const find = 'isOpen: readsAll(collection, caller)'

registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context)
    if (!url.endsWith(file)) return loaded
    const text = String(loaded.source)
    if (!text.includes(find)) throw new Error(`The planted bug no longer fits ${file}.`)
    return { ...loaded, source: text.replace(find, 'isOpen: true || readsAll(collection, caller)') }
  },
})
