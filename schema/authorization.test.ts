import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  graphql as execute,
  type GraphQLField,
  GraphQLObjectType,
  GraphQLSchema,
  getNamedType,
  isLeafType,
  isObjectType,
} from 'graphql'
import type { Actor, Context } from '../src/context.ts'
import { type Scope, scopes } from '../src/modules/keys/scopes.ts'
import { createGraphql, type Graphql } from '../src/server.ts'
import { answered } from '../src/testing/answered.ts'
import { changed, dump } from '../src/testing/dump.ts'
import { createSamples } from '../src/testing/hostile/samples.ts'
import { bodyOf } from '../src/testing/hostile/values.ts'
import { type Call, callsOf, type Sample } from '../src/testing/hostile/walk.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import type { Access, Audience } from './access.ts'
import { schema } from './index.ts'
import { createSchemas } from './schemas.ts'

let world: World
let graphql: Graphql
let sample: Sample
let owner: Context
let account: Context
let stranger: Context

before(async () => {
  world = await createWorld()
  graphql = createGraphql(world.app, createSchemas(world.app))
  const made = await world.createProject()
  owner = made.owner
  account = made.ownerAtConsole
  stranger = (await world.createProject()).ownerAtConsole
  const ask = (ctx: Context, query: string) => answered(graphql, ctx, bodyOf({ query }))
  sample = await createSamples(ask, owner, account)
})
after(async () => {
  await graphql.close()
  await world.close()
})

type Caller = { audiences: readonly Audience[]; scopes?: readonly Scope[]; contextOf: () => Context }

const everyScope = Object.keys(scopes) as Scope[]
const key = (scopes: readonly Scope[]): Actor => ({ kind: 'key', id: 'key_1', scopes: new Set(scopes) })
const developer: Actor = { kind: 'account', id: 'usr_2', sessionId: 'ses_1', role: 'DEVELOPER' }
const aUser = (): Actor => {
  const id = String(sample('id', 'user'))
  return { kind: 'user', id, sessionId: 'ses_2', verified: false, labels: ['staff'] }
}
const inProject = (actor: Actor | null) => () => world.context(owner.projectId, actor)

const callers: Readonly<Record<string, Caller>> = {
  'a visitor of the console': { audiences: ['visitor'], contextOf: () => world.context('console', null) },
  'an account that is no member': {
    audiences: ['visitor', 'owner'],
    contextOf: () => stranger,
  },
  'a guest': { audiences: ['client'], contextOf: inProject(null) },
  'a user': { audiences: ['client'], contextOf: () => inProject(aUser())() },
  'a key without scopes': { audiences: ['server'], scopes: [], contextOf: inProject(key([])) },
  'a developer': { audiences: ['console'], contextOf: inProject(developer) },
  'an owner': { audiences: ['console'], contextOf: () => owner },
  'a key with every scope': { audiences: ['server'], scopes: everyScope, contextOf: inProject(key(everyScope)) },
}

const accessOf = ({ extensions }: GraphQLField<unknown, unknown>) => extensions.access as Access

/** By the words of each field's `access` alone. */
function mayUse({ audiences, scopes }: Caller, { audience, scope }: Access): boolean {
  const isFor = audiences.some((one) => audience.includes(one))
  return isFor && (scopes === undefined || scope === undefined || scopes.includes(scope))
}

async function codeOf(call: Call, ctx: Context, api: GraphQLSchema | null): Promise<string> {
  const variables = call.base()
  if (api === null) {
    const { errors } = await answered(graphql, ctx, bodyOf({ query: call.query, variables }))
    const unknown = [
      `Cannot query field "${call.field}"`,
      'Unknown type ',
      `There is no ${call.root} that you may use.`,
    ]
    return errors.some(({ message }) => unknown.some((text) => message.startsWith(text)))
      ? 'UNKNOWN'
      : (errors[0]?.code ?? 'OK')
  }
  const { errors } = await execute({ schema: api, source: call.query, variableValues: variables, contextValue: ctx })
  const [error] = errors ?? []
  return (error?.originalError as { code?: string } | undefined)?.code ?? error?.message ?? 'OK'
}

const rootOf = {
  query: schema.getQueryType(),
  mutation: schema.getMutationType(),
  subscription: schema.getSubscriptionType(),
}
const fieldOf = ({ root, field }: Call) => {
  const found = rootOf[root]?.getFields()[field]
  assert.ok(found, field)
  return found
}

for (const [who, caller] of Object.entries(callers)) {
  test(`${who}: what is not for them is not there, is refused all the same, and changes nothing`, async () => {
    const calls = callsOf(schema, sample).filter((call) => !mayUse(caller, accessOf(fieldOf(call))))
    const ctx = caller.contextOf()
    const before = await dump(world)
    for (const call of calls) {
      assert.equal(await codeOf(call, ctx, null), 'UNKNOWN', call.field)
      if (call.root === 'subscription') continue
      // The whole schema, as if trimming it had failed.
      const due = ctx.actor === null ? 'UNAUTHENTICATED' : 'FORBIDDEN'
      assert.equal(await codeOf(call, ctx, schema), due, call.field)
    }
    assert.deepEqual(changed(before, await dump(world)), [])
    assert.ok(calls.length > 10, `${calls.length}`)
  })
}

const roots: readonly unknown[] = Object.values(rootOf)
const nested = Object.values(schema.getTypeMap())
  .filter((type) => isObjectType(type) && !roots.includes(type))
  .flatMap((type) => (isObjectType(type) ? Object.values(type.getFields()).map((field) => ({ type, field })) : []))
  .filter(({ field }) => field.extensions.access)

for (const { type, field } of nested) {
  test(`${type.name}.${field.name} is refused on the whole schema, too, wherever it is come to from`, async () => {
    const one = { type, resolve: () => ({ id: 'none' }) }
    const api = new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields: { one } }) })
    const source = `{ one { ${field.name}${isLeafType(getNamedType(field.type)) ? '' : ' { __typename }'} } }`
    const refused = { true: 0, false: 0 }
    for (const [who, caller] of Object.entries(callers)) {
      const contextValue = caller.contextOf()
      const { errors } = await execute({ schema: api, source, contextValue })
      const code = (errors?.[0]?.originalError as { code?: string } | undefined)?.code
      const may = mayUse(caller, accessOf(field))
      const due = contextValue.actor === null ? 'UNAUTHENTICATED' : 'FORBIDDEN'
      assert.equal(code === due, !may, `${who} ${code}`)
      refused[`${!may}`] += 1
    }
    assert.ok(refused.true > 3 && refused.false > 0, JSON.stringify(refused))
  })
}

test('there are such fields', () => assert.ok(nested.length >= 8, `${nested.length}`))

const reads = ({ root }: Call) => root !== 'mutation'

const ownRules = ['signIn', 'updateAccount', 'createVerification', 'signOut', 'presence', 'joined', 'updatePresence']

test('what is for them is let in', async () => {
  for (const [who, caller] of Object.entries(callers)) {
    const calls = callsOf(schema, sample).filter((call) => mayUse(caller, accessOf(fieldOf(call))))
    // Deleting is last: others name what is deleted.
    const last = (call: Call) => (/^(delete|remove|signOut)/.test(call.field) ? 1 : 0)
    for (const call of calls.toSorted((a, b) => last(a) - last(b))) {
      const code = await codeOf(call, caller.contextOf(), null)
      // Signing in with a wrong password, verifying an address of nobody, and being there as nobody are refused by their own rules.
      const own = ownRules.includes(call.field) ? ['UNAUTHENTICATED'] : []
      assert.ok(
        !['UNKNOWN', 'FORBIDDEN', 'UNAUTHENTICATED', 'INTERNAL'].includes(code) || own.includes(code),
        `${who} ${call.field} ${code}`,
      )
      const fine = ['OK', 'NOT_FOUND', 'CONFLICT', ...own]
      if (reads(call)) assert.ok(fine.includes(code), `${who} ${call.field} ${code}`)
    }
  }
})
