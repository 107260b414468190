/**
 * Bugs that this run plants to show that it would find them: each is a change of a file's text while the process of the
 * run loads it. Nothing in the file knows of it, and no other process can.
 */
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

type Change = { file: string; find: RegExp; replace: string }

/**
 * `skip-nested-filter`: related rows are read without the filter of permissions.
 * `count-unfiltered`: totals count what may not be read.
 * `skip-field-rights`: fields are read whoever asks.
 * `order-by-hidden`: lists are ordered by fields that may not be read.
 * `totals-unfiltered`: what is computed of a list's documents is of those, too, that may not be read.
 * `aggregate-unfiltered`: aggregates are computed of documents that may not be read.
 * `point-at-hidden`: documents are pointed at others that may not be read.
 * `cache-ignores-roles`: an answer is kept for whoever asks the same, whatever their roles; for runs with `--cached`.
 */
const bugs: Record<string, readonly Change[]> = {
  'skip-nested-filter': [
    {
      file: 'src/documents/document-sql.ts',
      find: /(joinSql\(neighbour\.join, alias, other\)), readFilter\([^)]*\)/,
      replace: '$1',
    },
  ],
  'count-unfiltered': [
    {
      file: 'src/documents/connection-sql.ts',
      find: /(select count\(\*\)[^`]*where )\$\{join\(matching\(alias\), 'and', 'true'\)\}/,
      replace: '$1true',
    },
  ],
  'totals-unfiltered': [
    {
      file: 'src/documents/aggregate-sql.ts',
      find: /(function totalsSql[\s\S]*?)\$\{join\(matching\(row\), 'and', 'true'\)\}/,
      replace: '$1true',
    },
  ],
  'aggregate-unfiltered': [
    {
      file: 'src/documents/aggregate-sql.ts',
      find: /conditions = \[readFilter\(scope, collection, row\), /,
      replace: 'conditions = [',
    },
  ],
  'point-at-hidden': [
    {
      file: 'src/documents/insert-sql.ts',
      find: /(\$\{own\}\) is )not true/,
      replace: '$1null',
    },
  ],
  'cache-ignores-roles': [
    {
      file: 'src/documents/keeping.ts',
      find: /seconds, text, values, reader/,
      replace: `seconds, text, values: values.filter((value) => !String(value).includes('any')), reader`,
    },
  ],
  'skip-field-rights': [
    {
      file: 'src/documents/permissions.ts',
      find: /(function mayUse\([^{]*\{\s*return )rights === null/,
      replace: '$1true',
    },
  ],
  'order-by-hidden': [
    {
      file: 'src/documents/order-sql.ts',
      find: /requireReadable\((?:term\.)?column, scope\.caller\.roles\)/g,
      replace: 'void 0',
    },
  ],
}

export const plantableBugs = Object.keys(bugs)

const root = join(import.meta.dirname, '../../..')
const ids = JSON.stringify(pathToFileURL(join(import.meta.dirname, 'ids.ts')).href)

/**
 * From here on, modules are loaded with the bug in them, and with ids that both databases share. Answers a check that
 * throws where the bug no longer fits the code.
 */
export function plant(name: string | undefined, nodeEnv = process.env.NODE_ENV): () => void {
  if (nodeEnv !== 'test') throw new Error('Code is changed only where NODE_ENV is "test".')
  const changes = name === undefined ? [] : bugs[name]
  if (!changes) throw new Error(`There is no bug "${name}" to plant. There are: ${plantableBugs.join(', ')}.`)
  const open = new Set(changes)
  registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context)
      const file = url.startsWith(pathToFileURL(root).href) ? url.slice(pathToFileURL(root).href.length + 1) : ''
      if (file === 'src/lib/ids.ts') return { ...loaded, source: `export { newId, newEventId } from ${ids}` }
      const mine = changes.filter((change) => change.file === file)
      const source = mine.reduce((text, change) => {
        if (text.search(change.find) >= 0) open.delete(change)
        return text.replace(change.find, change.replace)
      }, String(loaded.source))
      return mine.length > 0 ? { ...loaded, source } : loaded
    },
  })
  return () => {
    const [change] = open
    if (change) throw new Error(`The planted bug "${name}" no longer fits ${change.file}: bring bugs.ts up to date.`)
  }
}
