import { type GraphQLObjectType, type GraphQLOutputType, isLeafType, isListType, isNonNullType } from 'graphql'
import type { DocumentChange } from './changes.ts'
import { isLoggedAs } from './logged-as.ts'
import type { CollectionModel, ProjectModel } from './model.ts'
import { type Plan, planDocument } from './plan.ts'
import { ownField } from './read.ts'
import type { Roles } from './scope.ts'
import { type Info, selectedFields } from './selection.ts'

/** What is asked of a change, by response key. */
export type ChangePlan = readonly ChangeField[]

export type NodeField = {
  key: string
  kind: 'node'
  plan: Plan
  /** Of the document's fields, by their names in the order of the plan. */
  types: readonly (GraphQLOutputType | undefined)[]
}

export type ChangeField =
  | { key: string; kind: 'typename'; name: string }
  | { key: string; kind: 'value'; name: Name; type: GraphQLOutputType }
  | NodeField

type Name = 'cursor' | 'kind' | 'id' | 'changedFields' | 'at'

/** A change as it is told, and its cursor. */
export type Told = DocumentChange & { cursor: string }

export function planChange(
  info: Info,
  model: ProjectModel,
  collection: CollectionModel,
  change: GraphQLObjectType,
  document: GraphQLObjectType,
): ChangePlan {
  return [...selectedFields(info, info.fieldNodes, change.name)].map(([key, nodes]): ChangeField => {
    const name = nodes[0]?.name.value ?? ''
    if (name === '__typename') return { key, kind: 'typename', name: change.name }
    const type = change.getFields()[name]?.type
    if (!type) throw new Error(`${change.name} has no field ${name}.`)
    if (name !== 'node') return { key, kind: 'value', name: name as Name, type }
    const plan = planDocument({ ...info, fieldNodes: nodes }, model, collection)
    const selected = selectedFields(info, nodes, document.name)
    const types = [...selected.values()].map(([node]) => document.getFields()[node?.name.value ?? '']?.type)
    return { key, kind: 'node', plan, types }
  })
}

/**
 * The JSON of a change, byte for byte as execution makes it; `nodes` are the texts of those that PostgreSQL has read, by
 * key. Throws where execution would have an error to tell.
 */
export function changeJson(plan: ChangePlan, told: Told, roles: Roles, nodes: ReadonlyMap<string, string>): string {
  const parts = plan.map((field) => `${JSON.stringify(field.key)}:${fieldJson(field, told, roles, nodes)}`)
  return `{${parts.join(',')}}`
}

function fieldJson(field: ChangeField, told: Told, roles: Roles, nodes: ReadonlyMap<string, string>): string {
  if (field.kind === 'typename') return JSON.stringify(field.name)
  if (field.kind === 'value') return JSON.stringify(complete(field.type, told[field.name]))
  const { image } = told
  if (!image) return 'null'
  return nodes.get(field.key) ?? ownJson(field, image, roles)
}

function ownJson({ plan, types }: NodeField, image: NonNullable<Told['image']>, roles: Roles): string {
  const entries = plan.fields.map((field, i) => {
    if (field.kind === 'column' && !isLoggedAs(field.column, image)) throw new Error('It is of another type by now.')
    const value = ownField(field, image, roles)
    const type = types[i]
    return [field.key, type && field.kind === 'column' ? complete(type, value) : value] as const
  })
  return JSON.stringify(Object.fromEntries(entries))
}

/** What the executor makes of the value of a leaf. */
function complete(type: GraphQLOutputType, value: unknown): unknown {
  if (isNonNullType(type)) {
    const present = complete(type.ofType, value)
    if (present === null) throw new Error('There is no value where one is required.')
    return present
  }
  if (value === null || value === undefined) return null
  if (isListType(type)) return (value as readonly unknown[]).map((item) => complete(type.ofType, item))
  if (!isLeafType(type)) throw new Error('This is no leaf.')
  const made: unknown = type.serialize(value)
  if (made === null || made === undefined) throw new Error('This is no value of its type.')
  return made
}
