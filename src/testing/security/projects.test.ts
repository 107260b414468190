import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql'
import { type Asked, createParty, createStage, dump, type Party, type Result, type Stage, secretOf } from './stage.ts'

let stage: Stage
let mine: Party
let theirs: Party
before(async () => {
  stage = await createStage()
  ;[mine, theirs] = await Promise.all([createParty(stage, 'mine'), createParty(stage, 'theirs')])
})
after(() => stage.close())

/** What inputs besides the id need, so that nothing but the id decides. By `Type.field` where the name says too little. */
const samples: Record<string, unknown> = {
  email: 'new@mine.example',
  role: 'DEVELOPER',
  scopes: [],
  permissions: [],
  'CreateIndexInput.attributes': ['title'],
  key: 'things',
  name: 'n',
  url: 'https://hook.example/',
}

/** Where an id stands in the arguments of a field: `['input', 'collectionId']`. */
type Place = { path: string[]; isCursor: boolean }
type Given = GraphQLArgument | GraphQLInputField

function placesIn(given: readonly Given[], path: string[] = []): Place[] {
  return given.flatMap(({ name, type }): Place[] => {
    const named = getNamedType(type)
    if (name === 'where' || path.length > 3) return []
    if (named.name === 'ID') return [{ path: [...path, name], isCursor: false }]
    if (named.name === 'String' && (name === 'after' || name === 'before')) return [{ path: [name], isCursor: true }]
    return isInputObjectType(named) ? placesIn(Object.values(named.getFields()), [...path, name]) : []
  })
}

/** A value for `type` with `id` at `path`, and everything else that it needs. */
function valueFor(type: GraphQLInputType, name: string, path: string[], id: string): unknown {
  const bare = getNullableType(type)
  if (isListType(bare)) return path.length > 0 ? [valueFor(bare.ofType, name, path, id)] : (samples[name] ?? [])
  if (isInputObjectType(bare)) {
    const fields = Object.values(bare.getFields())
    const used = fields.filter((field) => field.name === path[0] || isRequiredInputField(field))
    const value = Object.fromEntries(
      used.map((field) => {
        const rest = field.name === path[0] ? path.slice(1) : null
        const known = samples[`${bare.name}.${field.name}`]
        if (rest === null && known !== undefined) return [field.name, known]
        return [field.name, rest?.length === 0 ? id : valueFor(field.type, field.name, rest ?? [], id)]
      }),
    )
    if ('relatedCollectionId' in value)
      Object.assign(value, { type: 'RELATION', onDelete: 'SET_NULL', key: `to${id.length}` })
    else if (bare.name === 'CreateAttributeInput') Object.assign(value, { type: 'INTEGER' })
    return value
  }
  if (bare.name === 'ID') return mine.ids[name.replace(/Id$/, '')]
  if (name === 'secret') return secretOf(stage, id)
  return samples[name] ?? (isEnumType(bare) ? bare.getValues()[0]?.name : 'x')
}

const selectionOf = ({ type }: GraphQLField<unknown, unknown>) => {
  const named = getNamedType(type)
  if (!isObjectType(named)) return ''
  const fields = named.getFields()
  if (fields.nodes) return '{ totalCount pageInfo { hasNextPage hasPreviousPage } nodes { id } }'
  return fields.id ? '{ id }' : '{ __typename }'
}

function operationFor(
  kind: string,
  field: GraphQLField<unknown, unknown>,
  { path, isCursor }: Place,
  id: string,
): Asked {
  const value = isCursor ? Buffer.from(`GPC:S:${id}`).toString('base64') : id
  const used = field.args.filter((arg) => arg.name === path[0] || isRequiredArgument(arg))
  const variables = Object.fromEntries(
    used.map((arg) => [
      arg.name,
      arg.name === path[0] && path.length === 1 ? value : valueFor(arg.type, arg.name, path.slice(1), value),
    ]),
  )
  if (isCursor && field.args.some(({ name }) => name === 'last') && path[0] === 'before')
    Object.assign(variables, { last: 5 })
  const typeOf = (name: string) => field.args.find((arg) => arg.name === name)?.type
  const declared = Object.keys(variables).map((name) => `$${name}: ${typeOf(name)}`)
  const passed = Object.keys(variables).map((name) => `${name}: $${name}`)
  return { query: `${kind} (${declared}) { ${field.name}(${passed}) ${selectionOf(field)} }`, variables }
}

/** An id that nobody has, as long as one that somebody has: always the same one for it. */
const absent = (id: string) => `${id.slice(0, 4)}${[...id.slice(4)].reverse().join('')}`

const bytesOf = (result: Result | undefined, id: string) =>
  JSON.stringify(result)
    .replaceAll(id, 'ID')
    .replaceAll(Buffer.from(`GPC:S:${id}`).toString('base64'), 'ID')

/** Deletions last, the largest at the end: what they take along is needed before. */
const lateness = (name: string) =>
  ['delete', 'deleteCollection', 'deleteDatabase'].filter((start) => name.startsWith(start)).length

/** Ids that decide nothing: whichever is given, the answer is the same. */
const indifferent = new Set(['createPost input.id', 'createAuthor input.id'])

const callers = {
  'a project of the console': () => ['console', mine.owner.authorization] as const,
  'its owner': () => [mine.projectId, mine.owner.authorization] as const,
  'its key': () => [mine.projectId, mine.key.authorization] as const,
  'its user': () => [mine.projectId, mine.user.authorization] as const,
}

for (const [name, caller] of Object.entries(callers)) {
  test(`ids of another project are to ${name} what absent ids are, wherever an id is taken`, async () => {
    const [project, authorization] = caller()
    const schema = await stage.introspect(project, authorization)
    const before = await rowsOf(theirs)
    const roots = [schema.getQueryType(), schema.getMutationType()].flatMap((type) =>
      Object.values(type?.getFields() ?? {}).map((field) => ({ kind: String(type).toLowerCase(), field })),
    )
    const places = roots.flatMap(({ kind, field }) => placesIn(field.args).map((place) => ({ kind, field, place })))
    assert.ok(places.length > 5)
    const found: string[] = []
    for (const { kind, field, place } of places) {
      const at = `${field.name} ${place.path.join('.')}`
      const ids = Object.values(theirs.ids)
      const ask = (given: string[]) =>
        stage.askAll(
          project,
          authorization,
          given.map((id) => operationFor(kind, field, place, id)),
        )
      const [foreign, nobodys] = [await ask(ids), await ask(ids.map(absent))]
      for (const [i, id] of ids.entries()) {
        const [one, other] = [bytesOf(foreign[i], id), bytesOf(nobodys[i], absent(id))]
        if (one !== other) found.push(`${at} ${id}: ${one} ≠ ${other}`)
        if (/INTERNAL/.test(one)) found.push(`${at} ${id}: ${one}`)
      }
    }
    assert.deepEqual(found, [])
    assert.deepEqual(await rowsOf(theirs), before)

    // An id of their own is answered otherwise: it was the id that decided above.
    const blunt: string[] = []
    for (const { kind, field, place } of places.sort((a, b) => lateness(a.field.name) - lateness(b.field.name))) {
      const at = `${field.name} ${place.path.join('.')}`
      if (name !== 'its key' && lateness(field.name) > 0 && project !== 'console') continue
      let differs = indifferent.has(at)
      for (const id of Object.values(mine.ids)) {
        if (differs) break
        const [own, other] = await stage.askAll(
          project,
          authorization,
          [id, absent(id)].map((each) => operationFor(kind, field, place, each)),
        )
        differs = bytesOf(own, id) !== bytesOf(other, absent(id))
      }
      if (!differs) blunt.push(at)
    }
    assert.deepEqual(blunt, [])
  })
}

/** Everything in the database that names their project or anything in it. */
async function rowsOf({ ids, projectId }: Party): Promise<string[]> {
  const named = Object.values(ids)
  const dumped = [...(await dump(stage))]
  return dumped.flatMap(([table, rows]) =>
    rows
      .filter((row) => table.includes(projectId) || named.some((id) => row.includes(id)))
      .map((row) => `${table} ${row}`),
  )
}
