import { type GraphQLResolveInfo, Kind, separateOperations, TypeInfo, visit, visitWithTypeInfo } from 'graphql'
import { accessOf } from './trim.ts'

/** The scopes that decide what an operation is told: of all fields that it selects, and `beside` of those that show more to some. */
export function needsOf({ schema, operation, fragments }: GraphQLResolveInfo): ReadonlySet<string> {
  const all = { kind: Kind.DOCUMENT, definitions: [operation, ...Object.values(fragments)] } as const
  const document = separateOperations(all)[operation.name?.value ?? ''] ?? all
  const types = new TypeInfo(schema)
  const needs = new Set<string>()
  const note = (scope: unknown) => {
    if (typeof scope === 'string') needs.add(scope)
  }
  const enter = () => {
    const field = types.getFieldDef()
    if (!field) return
    note(accessOf(field)?.scope)
    note(field.extensions.beside)
  }
  visit(document, visitWithTypeInfo(types, { Field: { enter } }))
  return needs
}
