import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { createGraphql, type Graphql } from '../src/server.ts'
import { answered } from '../src/testing/answered.ts'
import { createSamples } from '../src/testing/hostile/samples.ts'
import { bodyOf } from '../src/testing/hostile/values.ts'
import { type Sample, spotsOf } from '../src/testing/hostile/walk.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let graphql: Graphql
let callers: Context[]
let sample: Sample

before(async () => {
  world = await createWorld({ ACME_EMAIL: 'acme@example.org', OPERATORS: 'owner@example.org' })
  schemas = createSchemas(world.app)
  graphql = createGraphql(world.app, schemas)
  const { owner, ownerAtConsole } = await world.createProject()
  callers = [owner, ownerAtConsole]
  const samples = await createSamples(answerTo, owner, ownerAtConsole)
  sample = (name, of) => (`${of}.${name}` in own ? own[`${of}.${name}`] : samples(name, of))
})
after(async () => {
  await graphql.close()
  await world.close()
})

const answerTo = (ctx: Context, query: string, variables: object = {}) =>
  answered(graphql, ctx, bodyOf({ query, variables }))

const relation = { type: 'RELATION', size: undefined, relatedCollectionId: 'self', onDelete: 'CASCADE' }
const own: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(Object.entries(relation).map(([name, value]) => [`AttributeInput.${name}`, value])),
  ...Object.fromEntries(Object.entries(relation).map(([name, value]) => [`CreateAttributeInput.${name}`, value])),
  'CreateDeploymentInput.source': 'export default () => {}',
}

/** What is said of an id that names nothing where that is not NOT_FOUND. */
const others: Readonly<Record<string, string>> = {
  // Whether it is the id or the secret that is wrong is not told.
  'confirmVerification input.id': 'INVALID input.secret',
  // There is no domain here either, and it comes first.
  'pointDomain input.functionId': 'NOT_FOUND input.id',
  // What is not there need not be ended.
  'terminateSubscriptions input.actorId': 'nothing',
  'terminateSubscriptions input.ids': 'nothing',
  'terminateSubscriptions input.sessionId': 'nothing',
}

test('NOT_FOUND of a mutation says where the input names what is not there', async () => {
  const wrong: string[] = []
  let count = 0
  for (const ctx of callers)
    for (const spot of spotsOf(await schemas.for(ctx), sample)) {
      if (spot.root !== 'mutation' || spot.type.name !== 'ID') continue
      count += 1
      const [error] = (await answerTo(ctx, spot.query, spot.variablesWith('none_1'))).errors
      const place = spot.path.join('.')
      const due = others[`${spot.field} ${place}`] ?? `NOT_FOUND ${place}`
      const said = error ? `${error.code} ${error.path.join('.')}` : 'nothing'
      if (said !== due) wrong.push(`${spot.field} ${place}: ${said} ${error?.message}`)
    }
  assert.deepEqual(wrong, [])
  assert.ok(count > 40, String(count))
})
