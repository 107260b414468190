import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  type GraphQLField,
  type GraphQLNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isLeafType,
  isObjectType,
  isSpecifiedScalarType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql'
import type { Context } from '../src/context.ts'
import { scopes } from '../src/modules/keys/scopes.ts'
import { type Access, mayUse } from './access.ts'
import { builder } from './builder.ts'
import { schema } from './index.ts'

const folder = new URL('.', import.meta.url)
const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
const rootFields = roots.flatMap((type) => Object.values(type?.getFields() ?? {}))
const accessOf = (field: GraphQLField<unknown, unknown>) => field.extensions.access as Access | undefined

test('every root field says who may use it', () => {
  for (const field of rootFields) assert.ok(accessOf(field)?.audience.length, field.name)
})

test('a root field that does not say it does not build', () => {
  builder.queryField('planted', (t) => t.int({ resolve: () => 1 } as never))
  assert.throws(() => builder.toSchema({}), /Query\.planted does not say who may use it/)
})

test('what a key may use has a scope, and every scope opens something', () => {
  const named = new Set(rootFields.flatMap((field) => accessOf(field)?.scope ?? []))
  for (const field of rootFields) {
    const access = accessOf(field)
    // The list of error codes is for everybody.
    if (access?.audience.includes('server') && field.name !== 'errorCodes') assert.ok(access.scope, field.name)
  }
  const ofDocuments = ['documents.read', 'documents.write']
  for (const scope of Object.keys(scopes)) assert.ok(named.has(scope as never) || ofDocuments.includes(scope), scope)
})

test('a guest of a project may use nothing of the console or the server', () => {
  const guest = { actor: null, projectId: 'prj_1' } as Pick<Context, 'actor' | 'projectId'>
  const open = rootFields.filter((field) => mayUse(guest, accessOf(field) ?? { audience: [] })).map(({ name }) => name)
  assert.deepEqual(open.sort(), [
    'account',
    'cancelExecution',
    'confirmVerification',
    'createExecution',
    'createVerification',
    'deleteSession',
    'errorCodes',
    'events',
    'execution',
    'executionChanged',
    'executions',
    'joined',
    'presence',
    'presence',
    'signIn',
    'signOut',
    'signUp',
    'updateAccount',
    'updatePresence',
  ])
})

describe('every type, field, argument and value has a description', () => {
  const types = Object.values(schema.getTypeMap()).filter(
    (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
  )
  for (const type of types) test(type.name, () => assert.deepEqual(undescribed(type), []))
})

function undescribed(type: GraphQLNamedType): string[] {
  const missing: string[] = type.description ? [] : [type.name]
  const say = (path: string, { description }: { description?: string | null | undefined }) => {
    if (!description) missing.push(path)
  }
  if (isEnumType(type)) for (const value of type.getValues()) say(`${type.name}.${value.name}`, value)
  if (isInputObjectType(type))
    for (const field of Object.values(type.getFields())) say(`${type.name}.${field.name}`, field)
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      say(`${type.name}.${field.name}`, field)
      for (const arg of field.args) say(`${type.name}.${field.name}(${arg.name})`, arg)
    }
  }
  return missing
}

test('a mutation takes an id, or one input that is named after it', () => {
  const taken = ({ name, args }: GraphQLField<unknown, unknown>) => {
    const input = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input!`
    return args.every((arg) => arg.name === 'id' || (arg.name === 'input' && String(arg.type) === input))
  }
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {})
  assert.deepEqual(
    mutations.filter((field) => field.args.length > 1 || !taken(field)).map(({ name }) => name),
    [],
  )
})

test('a list is paged alike wherever it is, and takes what is asked for as `where`', () => {
  const objects = Object.values(schema.getTypeMap()).filter(isObjectType)
  const lists = objects.flatMap((type) =>
    Object.values(type.getFields()).filter((field) => String(field.type).endsWith('Connection!')),
  )
  assert.ok(lists.length > 25, String(lists.length))
  for (const { name, type, args } of lists) {
    const where = `${String(type).replace('Connection!', '')}Where`
    const all = args.filter((arg) => arg.name !== 'where' || String(arg.type) !== where).map((arg) => arg.name)
    assert.deepEqual(all.sort(), ['after', 'before', 'first', 'last'], name)
  }
})

test('a moment that is told is named as one', () => {
  const fields = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap((type) => Object.values(type.getFields()).map(({ name, type: of }) => ({ type: type.name, name, of })))
  const moments = fields.filter(({ of }) => String(of).startsWith('DateTime'))
  assert.ok(moments.length > 80, String(moments.length))
  assert.deepEqual(
    moments.filter(({ name }) => !/^at$|At$/.test(name)).map(({ type, name }) => `${type}.${name}`),
    ['Usage.from'],
  )
})

test('what is asked for of a list is plain values', () => {
  const wheres = Object.values(schema.getTypeMap())
    .filter(isInputObjectType)
    .filter(({ name }) => name.endsWith('Where'))
  assert.ok(wheres.length > 8, String(wheres.length))
  const fields = wheres.flatMap((type) => Object.values(type.getFields()).map((field) => ({ type, field })))
  assert.deepEqual(
    fields
      .filter(({ field }) => !isLeafType(getNullableType(field.type)))
      .map(({ type, field }) => `${type}.${field.name}`),
    [],
  )
})

test('what went wrong is in `error`: why a switch stands as it does is the only reason', () => {
  const fields = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter((type) => !isIntrospectionType(type))
    .flatMap((type) => Object.keys(type.getFields()).map((name) => `${type}.${name}`))
  assert.deepEqual(
    fields.filter((name) => /reason$/i.test(name)),
    // The first is why a document stands against a change, of which nothing has gone wrong.
    ['AttributeChangeExample.reason', 'Runtime.unavailableReason', 'Webhook.disabledReason'],
  )
})

test('every file of schema/ is part of the schema', () => {
  const index = readFileSync(new URL('index.ts', folder), 'utf8')
  const apart = [
    'index.ts',
    'absent.ts',
    'access.ts',
    'builder.ts',
    'changed.ts',
    'connections.ts',
    'date-time.ts',
    'described.ts',
    'decided-user.ts',
    'inputs.ts',
    'json.ts',
    'lazy.ts',
    'needs.ts',
    'print.ts',
    'schemas.ts',
    'trim.ts',
  ]
  const files = readdirSync(folder).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !apart.includes(file),
  )
  assert.deepEqual(
    files.filter((file) => !index.includes(`'./${file}'`)),
    [],
  )
})

test('every mutation is called by a test', () => {
  const tests = ['../schema', '../src', '../workers', '../examples']
    .flatMap((path) =>
      readdirSync(new URL(path, folder), { recursive: true }).map((file) => new URL(`${path}/${file}`, folder)),
    )
    .filter(({ pathname }) => pathname.endsWith('.test.ts') || pathname.includes('/examples/'))
    .filter(({ pathname }) => pathname.endsWith('.ts'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  const missing = Object.keys(schema.getMutationType()?.getFields() ?? {}).filter(
    (name) => !new RegExp(`\\b${name}\\b`).test(tests),
  )
  assert.deepEqual(missing, [])
})

test('schema.graphql is current', () => {
  assert.equal(
    readFileSync(new URL('schema.graphql', folder), 'utf8'),
    `${printSchema(lexicographicSortSchema(schema))}\n`,
  )
})
