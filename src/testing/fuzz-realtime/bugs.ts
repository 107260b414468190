/**
 * Bugs that this run plants to show that it would find them: each is a change of a file's text while the process of the
 * run loads it. Nothing in the file knows of it, and no other process can.
 */
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

type Change = { file: string; find: string; replace: string }

/**
 * `skip-read-on-update`: an update is delivered whoever may read the document.
 * `roles-of-start`: a subscriber keeps the roles that they had when it began.
 * `lose-on-resume`: who comes back goes on from now, not from where they were.
 * `rights-of-start`: permissions, rules and rights on fields stay what they were when the first subscriber came.
 * `skip-field-rights`: the logged row is told with all of its fields.
 */
const bugs: Record<string, Change> = {
  'skip-read-on-update': {
    file: 'src/documents/fanout/readers.ts',
    find: 'sidesOf(logged, (image) => ',
    replace: 'sidesOf(logged, (image) => (logged.before !== null && logged.after !== null) || ',
  },
  'roles-of-start': {
    file: 'src/documents/fanout/subscriber.ts',
    find: 'ground.place({ ...ctx, actor }, caller.key)',
    replace: 'ground.place({ ...ctx }, caller.key)',
  },
  'lose-on-resume': {
    file: 'src/documents/fanout/hub.ts',
    find: 'after ?? stream.last(), sink',
    replace: 'stream.last(), sink',
  },
  'rights-of-start': {
    file: 'src/documents/fanout/hub.ts',
    find: 'if (era?.model === model) return era',
    replace: 'if (era) return era',
  },
  'skip-field-rights': {
    file: 'src/documents/change-plan.ts',
    find: 'ownField(field, image, roles)',
    replace: 'ownField(field, image, null)',
  },
}

export const plantableBugs = Object.keys(bugs)

const root = pathToFileURL(join(import.meta.dirname, '../../..')).href

/** From here on, modules are loaded with the bug in them. Answers a check that throws where it no longer fits the code. */
export function plant(name: string | undefined, nodeEnv = process.env.NODE_ENV): () => void {
  if (name === undefined) return () => {}
  if (nodeEnv !== 'test') throw new Error('Code is changed only where NODE_ENV is "test".')
  const bug = bugs[name]
  if (!bug) throw new Error(`There is no bug "${name}" to plant. There are: ${plantableBugs.join(', ')}.`)
  let isPlanted = false
  registerHooks({
    load: (url, context, next) => {
      const loaded = next(url, context)
      if (url !== `${root}/${bug.file}`) return loaded
      const text = String(loaded.source)
      isPlanted = text.includes(bug.find)
      return { ...loaded, source: text.replace(bug.find, bug.replace) }
    },
  })
  return () => {
    if (!isPlanted) throw new Error(`The planted bug "${name}" no longer fits ${bug.file}: bring bugs.ts up to date.`)
  }
}
