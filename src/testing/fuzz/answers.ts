/** What an answer holds. */
import type { OperationTree, Selection } from './tree.ts'

export type Answered = { data?: unknown; errors?: readonly { extensions?: { code?: string } }[] }

/** Whether there is more in it than emptiness: a text, a number that is not 0, something true. */
export function holdsData(answer: Answered): boolean {
  return isTelling(answer.data)
}

function isTelling(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return Boolean(value)
  return Object.entries(value).some(([key, one]) => key !== '__typename' && isTelling(one))
}

export type Visit = (
  found: { key: string; field: Extract<Selection, { kind: 'field' }>; value: unknown },
  parent: { type: string; value: Record<string, unknown> },
) => void

/** Walks an answer beside the operation that it answers. */
export function walk(tree: OperationTree, data: unknown, visit: Visit): void {
  walkSelections(tree.children, tree.kind, data, visit)
}

function walkSelections(selections: readonly Selection[], type: string, value: unknown, visit: Visit): void {
  if (Array.isArray(value)) {
    for (const item of value) walkSelections(selections, type, item, visit)
    return
  }
  if (typeof value !== 'object' || value === null) return
  const object = value as Record<string, unknown>
  for (const one of selections) {
    if (one.kind === 'fragment') {
      walkSelections(one.children, type, value, visit)
      continue
    }
    const key = one.alias ?? one.name
    if (!Object.hasOwn(object, key)) continue
    visit({ key, field: one, value: object[key] }, { type, value: object })
    walkSelections(one.children, one.type, object[key], visit)
  }
}
