import { Refused } from '../api.ts'
import { Failure } from '../failure.ts'
import { openBench } from './bench.ts'
import type { Remote } from './remote.ts'
import { type Shape, splitPath } from './shape.ts'
import { describeStep, destroys, type Step, type StepOf } from './steps.ts'

/** A step that destroys data, with how many documents, or documents with a value, that is about: null if it cannot be known. */
export type Loss = { step: Step; documents: number | null }

/** Counts what the steps would destroy, as far as this caller may count it. */
export async function countLosses(remote: Remote, steps: readonly Step[]): Promise<Loss[]> {
  const destructive = steps.filter(destroys)
  if (destructive.length === 0) return []
  const collections = await remote.collections()
  const losses: Loss[] = []
  for (const step of destructive) {
    const { path, attribute } = originOf(steps, step)
    const typeName = collections.get(path)?.typeName ?? ''
    const field = [...remote.offers.query].find(([, type]) => type === `${typeName}Connection`)?.[0]
    const there = attribute === null ? undefined : collections.get(path)?.attributes.get(attribute)
    // What is computed can be computed again.
    if (typeof there?.computed === 'string') continue
    const where = attribute === null ? {} : { [attribute]: hasValue(there) }
    losses.push({ step, documents: field ? await count(remote, typeName, field, where) : null })
  }
  return losses
}

/** What a step is about, by the names that it has before any of the steps is done. */
function originOf(steps: readonly Step[], step: StepOf<'deleteCollection' | 'deleteAttribute' | 'updateAttribute'>) {
  let path = step.collection
  let attribute = 'attribute' in step ? step.attribute : null
  for (const one of steps.slice(0, steps.indexOf(step)).reverse()) {
    if (one.do === 'renameCollection' && one.to === path) path = one.collection
    if (one.do === 'renameAttribute' && one.collection === path && one.to === attribute) attribute = one.attribute
  }
  return { path, attribute }
}

/** The condition on documents that have a value of it. */
function hasValue(attribute: Shape | undefined): object {
  if (attribute?.type !== 'RELATION') return { isNull: false }
  return attribute.relation === 'MANY_TO_MANY' ? { some: {} } : {}
}

async function count(remote: Remote, typeName: string, field: string, where: object) {
  const query = `query ($where: ${typeName}Where) { ${field}(where: $where) { totalCount } }`
  return remote.api
    .request<Record<string, { totalCount: number }>>(query, { where })
    .then((data) => data[field]?.totalCount ?? null)
    .catch(() => null)
}

/** A change that documents stand against, as the server found when it tried it. */
export type Obstacle = { step: Step; failing: number; documentId: string; reason: string }

type Check = { check: { possible: boolean; failing: number; examples: { documentId: string; reason: string }[] } }

/** Has the server try what the steps would change, without changing it, where it can. */
export async function findObstacles(remote: Remote, steps: readonly Step[]): Promise<Obstacle[]> {
  const changes = steps.filter((step) => step.do === 'updateAttribute')
  if (changes.length === 0 || !remote.offers.query.has('checkAttributeChange')) return []
  const bench = await openBench(remote, async () => {})
  const obstacles: Obstacle[] = []
  for (const step of changes) {
    const { path, attribute } = originOf(steps, step)
    const collection = bench.collections.get(path)
    const id = collection?.attributes.get(attribute ?? '')?.id
    if (!collection || !id) continue
    const input = bench.inputOf('UpdateAttributeInput', collection.path, step.set, { id })
    const check = await checkChange(remote, input).catch((error) => {
      // What stands in its way is taken away before it.
      if (error instanceof Refused && error.code === 'CONFLICT' && isCleared(steps, step)) return null
      throw error instanceof Failure ? new Failure(`${describeStep(step)}\n  ${error.message}`) : error
    })
    if (!check) continue
    const [example] = check.examples
    if (!check.possible) {
      obstacles.push({
        step,
        failing: check.failing,
        documentId: example?.documentId ?? '',
        reason: example?.reason ?? '',
      })
    }
  }
  return obstacles
}

async function checkChange(remote: Remote, input: object): Promise<Check['check']> {
  const query =
    'query ($input: UpdateAttributeInput!) { check: checkAttributeChange(input: $input) { possible failing examples { documentId reason } } }'
  return (await remote.api.request<Check>(query, { input })).check
}

function isCleared(steps: readonly Step[], step: StepOf<'updateAttribute'>): boolean {
  const before = steps
    .slice(0, steps.indexOf(step))
    .filter((one) => 'collection' in one && one.collection === step.collection)
  return before.some((one) => one.do === 'deleteAttribute' || one.do === 'deleteIndex' || one.do === 'updateCollection')
}

export function describeObstacle({ failing, documentId, reason }: Obstacle): string {
  return `${failing} ${failing === 1 ? 'document stands' : 'documents stand'} against it, ${documentId}: ${reason}`
}

export function describeLoss({ step, documents }: Loss): string {
  const many = documents === null ? 'an unknown number of' : new Intl.NumberFormat('en').format(documents)
  const noun = documents === 1 ? 'document' : 'documents'
  if (step.do === 'deleteCollection') return `destroys ${many} ${noun} of ${splitPath(step.collection).key}`
  if (step.do === 'deleteAttribute')
    return `destroys the value that ${many} ${noun} ${documents === 1 ? 'has' : 'have'}`
  return ''
}
