/** The smallest operation that still does what a larger one did. */
import type { Argument, OperationTree, Selection } from './tree.ts'

/** Tries every smaller form until none `fails` any more, or the tries are used up. */
export async function shrink(
  tree: OperationTree,
  fails: (tree: OperationTree) => Promise<boolean>,
  tries = 300,
): Promise<OperationTree> {
  let [smallest, left] = [tree, tries]
  for (let found = true; found && left > 0; ) {
    found = false
    for (const smaller of smallerTrees(smallest)) {
      left -= 1
      if (left < 0) break
      if (!(await fails(smaller))) continue
      smallest = smaller
      found = true
      break
    }
  }
  return smallest
}

function* smallerTrees(tree: OperationTree): Generator<OperationTree> {
  if (tree.directives.length > 0) yield { ...tree, directives: [] }
  for (const children of smallerLists(tree.children)) yield { ...tree, children }
}

function* smallerLists(selections: readonly Selection[]): Generator<readonly Selection[]> {
  if (selections.length > 1) for (const i of selections.keys()) yield selections.toSpliced(i, 1)
  for (const [i, one] of selections.entries()) {
    if (one.kind === 'fragment') yield selections.toSpliced(i, 1, ...one.children)
    for (const smaller of smallerSelections(one)) yield selections.with(i, smaller)
  }
}

function* smallerSelections(selection: Selection): Generator<Selection> {
  if (selection.directives.length > 0) yield { ...selection, directives: [] }
  for (const children of smallerLists(selection.children)) yield { ...selection, children }
  if (selection.kind !== 'field') return
  if (selection.alias) yield { ...selection, alias: null }
  for (const [i, arg] of selection.args.entries()) {
    yield { ...selection, args: selection.args.toSpliced(i, 1) }
    for (const value of smallerValues(arg.value)) {
      const smaller: Argument = { ...arg, value }
      yield { ...selection, args: selection.args.with(i, smaller) }
    }
    if (arg.isVariable) yield { ...selection, args: selection.args.with(i, { ...arg, isVariable: false }) }
  }
}

function* smallerValues(value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const i of value.keys()) {
      yield value.toSpliced(i, 1)
      for (const smaller of smallerValues(value[i])) yield value.with(i, smaller)
    }
    return
  }
  for (const [key, one] of Object.entries(value)) {
    const { [key]: _, ...rest } = value as Record<string, unknown>
    yield rest
    for (const smaller of smallerValues(one)) yield { ...value, [key]: smaller }
  }
}
