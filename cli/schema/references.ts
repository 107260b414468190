/** What the server would refuse for certain, told before a push has taken anything away to make it anew. */
import { Failure } from '../failure.ts'
import { keysInExpression, keysInRules } from './mentions.ts'
import { type CollectionShape, fullPath, splitPath } from './shape.ts'
import type { Step } from './steps.ts'

type Collections = Readonly<Record<string, CollectionShape>>

/** What every document has besides its attributes. */
const own: ReadonlySet<string> = new Set(['id', 'createdAt', 'updatedAt', 'version', 'permissions'])

/** Throws Failure where a part of a file names a collection or an attribute that is not in it. */
export function requireReferences(file: string, collections: Collections): void {
  for (const [path, { settings, attributes, indexes }] of Object.entries(collections)) {
    const requireAll = (what: string, keys: readonly string[]) => {
      const absent = keys.find((key) => !own.has(key) && !Object.hasOwn(attributes, key))
      if (absent === undefined) return
      throw new Failure(`${file}: ${path}: ${what} names “${absent}”, which is no attribute of the collection.`)
    }
    for (const [name, { to, computed }] of Object.entries(attributes)) {
      requireAll(`the computed attribute ${name}`, keysInExpression(computed))
      if (typeof to !== 'string' || Object.hasOwn(collections, fullPath(path, to))) continue
      throw new Failure(`${file}: ${path}.${name} points at “${to}”, which is no collection of the file.`)
    }
    for (const [name, index] of Object.entries(indexes)) {
      requireAll(`the index ${name}`, index.attributes as string[])
    }
    requireAll('a rule', keysInRules(settings.rules))
  }
}

/** Throws Failure where two collections that are to be made would have types of one name. */
export function requireTypeNames(file: string, steps: readonly Step[]): void {
  const names = new Map<string, string>()
  for (const step of steps) {
    if (step.do !== 'createCollection') continue
    const { typeName } = step.settings
    const name = typeof typeName === 'string' ? `typeName ${typeName}` : `key ${splitPath(step.collection).key}`
    const other = names.get(name)
    if (other) {
      throw new Failure(`${file}: ${other} and ${step.collection} would have one type: give one another \`typeName\`.`)
    }
    names.set(name, step.collection)
  }
}
