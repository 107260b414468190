import type { Api } from '../api.ts'
import { Failure } from '../failure.ts'

/** Which fields a type of the API has, and what kind each is of: servers of other versions have more or fewer. */
export type Fields = ReadonlyMap<string, string>

export type Offers = {
  query: Fields
  mutation: Fields
  attribute: Fields
  index: Fields
  collection: Fields
  /** What the inputs take, by the name of the input. */
  inputs: ReadonlyMap<string, Fields>
}

type Ref = { kind: string; name: string | null; ofType: Ref | null }
type Type = { fields: Field[] | null; inputFields: Field[] | null } | null
type Field = { name: string; type: Ref }

const members = 'name type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }'
const typeQuery = `query ($a: String!, $b: String!, $c: String!) {
  ${['a', 'b', 'c'].map((name) => `${name}: __type(name: $${name}) { fields { ${members} } inputFields { ${members} } }`).join('\n  ')}
}`

const inputs = [
  'AttributeInput',
  'CreateAttributeInput',
  'UpdateAttributeInput',
  'IndexInput',
  'CreateIndexInput',
  'CreateCollectionInput',
  'UpdateCollectionInput',
]

/** Asks the server what it offers this caller. Throws Failure for one who may not read the schema of the project. */
export async function readOffers(api: Api): Promise<Offers> {
  const names = ['Query', 'Mutation', 'Attribute', 'Index', 'Collection', ...inputs]
  const types = new Map<string, Fields>()
  for (let at = 0; at < names.length; at += 3) {
    const [a = '', b = a, c = a] = names.slice(at, at + 3)
    const answer = await api.request<Record<'a' | 'b' | 'c', Type>>(typeQuery, { a, b, c })
    for (const [name, type] of [[a, answer.a] as const, [b, answer.b] as const, [c, answer.c] as const]) {
      types.set(
        name,
        new Map((type?.fields ?? type?.inputFields ?? []).map((field) => [field.name, nameOf(field.type)])),
      )
    }
  }
  const fields = (name: string) => types.get(name) ?? new Map<string, string>()
  const query = fields('Query')
  if (!query.has('collections')) {
    throw new Failure('This key may not read the schema of the project: it needs the scope databases.read.')
  }
  return {
    query,
    mutation: fields('Mutation'),
    attribute: fields('Attribute'),
    index: fields('Index'),
    collection: fields('Collection'),
    inputs: new Map(inputs.map((name) => [name, fields(name)])),
  }
}

/** The name of the type itself, without lists and non-nulls around it. */
function nameOf(type: Ref): string {
  return type.ofType ? nameOf(type.ofType) : (type.name ?? '')
}
