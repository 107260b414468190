import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Context } from '../src/context.ts'
import { hashPassword } from '../src/modules/users/passwords.ts'
import { createGraphql, type Graphql } from '../src/server.ts'
import { answered } from '../src/testing/answered.ts'
import { createCollections } from '../src/testing/collections.ts'
import { changed, dump } from '../src/testing/dump.ts'
import { createSamples } from '../src/testing/hostile/samples.ts'
import { bodyOf, texts, values } from '../src/testing/hostile/values.ts'
import { type Sample, type Spot, spotsOf } from '../src/testing/hostile/walk.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let schemas: Schemas
let graphql: Graphql
let owner: Context
let account: Context
let sample: Sample
let posts = ''

before(async () => {
  // Certificates are for whoever has an address at the authority.
  world = await createWorld({ ACME_EMAIL: 'acme@example.org', TRUSTED_PROJECTS: '*' })
  schemas = createSchemas(world.app)
  graphql = createGraphql(world.app, schemas)
  const made = await world.createProject()
  owner = made.owner
  account = made.ownerAtConsole
  const passwordHash = await hashPassword('correct horse battery')
  await world.app.db.user.update({ where: { id: account.actor?.id ?? '' }, data: { passwordHash } })
  ;({ posts = '' } = await createCollections(owner, {
    posts: {
      documentPermissions: true,
      attributes: {
        title: { type: 'STRING', size: 40 },
        slug: { type: 'STRING', size: 40, unique: true },
        body: { type: 'TEXT' },
        views: { type: 'INTEGER' },
        big: { type: 'BIGINT' },
        score: { type: 'FLOAT' },
        price: { type: 'DECIMAL' },
        draft: { type: 'BOOLEAN' },
        at: { type: 'DATETIME' },
        day: { type: 'DATE' },
        mail: { type: 'EMAIL' },
        link: { type: 'URL' },
        ip: { type: 'IP' },
        uuid: { type: 'UUID' },
        mood: { type: 'ENUM', elements: ['GOOD', 'BAD'] },
        anything: { type: 'JSON' },
        place: { type: 'POINT' },
        way: { type: 'LINE' },
        area: { type: 'POLYGON' },
        tags: { type: 'STRING', list: true, size: 40 },
        secret: { type: 'STRING', encrypted: true },
        parent: { type: 'RELATION', to: 'posts', reverseKey: 'children', onDelete: 'SET_NULL' },
      },
      indexes: { words: { type: 'FULLTEXT', attributes: ['title', 'body'] } },
    },
  }))
  sample = await createSamples(answerTo, owner, account)
})
after(async () => {
  await graphql.close()
  await world.close()
})

const answerTo = (ctx: Context, query: string, variables: object = {}) =>
  answered(graphql, ctx, bodyOf({ query, variables }))

/** What a caller may be told of a value. NOT_FOUND, CONFLICT and the like are of what the value names. */
const told = ['INVALID', 'LIMIT_EXCEEDED', 'NOT_FOUND', 'CONFLICT', 'UNAUTHENTICATED']

/** Refused as a whole: which of its parts is wrong is not told. */
const whole: Readonly<Record<string, string>> = {
  confirmVerification: 'input.secret',
  createDeployment: 'input',
  updateAccount: 'input.currentPassword',
}

const withoutPlaces = (path: readonly string[]) => path.filter((name) => !/^\d+$/.test(name)).join('.')

type Call = { ctx: Context; spot: Spot; variables: object }

/** Tries values at a place; answers the calls that were refused. */
async function tryAt(ctx: Context, spot: Spot, tried: readonly unknown[]): Promise<Call[]> {
  const refused: Call[] = []
  for (const value of tried) {
    const variables = spot.variablesWith(value)
    const [error] = (await answerTo(ctx, spot.query, variables)).errors
    if (!error) continue
    const where = `${spot.field} ${spot.path.join('.')} = ${JSON.stringify(value)?.slice(0, 60)}: ${error.message}`
    assert.ok(told.includes(error.code), `${error.code} ${where}`)
    assert.ok(error.message.length <= 600, where.slice(0, 600))
    if (error.code === 'INVALID') {
      const named = withoutPlaces(error.path)
      // It is found out by PostgreSQL, which does not say where.
      if (error.message.endsWith(' out of its range.')) continue
      // Of a time that ends before it begins, either end may be the wrong one.
      if (error.message === 'The end must come after the beginning.') continue
      const due = withoutPlaces(spot.path)
      // Two operators for one attribute are one too many, and a live filter has no `regex`; JSON has places of its own.
      const isPart = spot.path[0] === 'apply' || spot.root === 'subscription'
      const isNear = isPart ? named !== '' && due.startsWith(named) : named.startsWith(`${due}.`)
      assert.ok(named === due || named === whole[spot.field] || isNear, `${named}, not ${due}: ${where}`)
    }
    refused.push({ ctx, spot, variables })
  }
  return refused
}

async function tryAgain({ ctx, spot, variables }: Call) {
  const { errors } = await answerTo(ctx, spot.query, variables)
  assert.notDeepEqual(errors, [], `${spot.field} ${JSON.stringify(variables).slice(0, 200)}`)
}

/** Tries a field's places, and that what it refuses changes nothing. */
async function tryField(ctx: Context, spots: readonly Spot[], valuesFor: (spot: Spot) => readonly unknown[]) {
  const [first] = spots
  assert.ok(first)
  const right = await answerTo(ctx, first.query, first.base())
  const wrong = right.errors.filter(({ code }) => ['INVALID', 'LIMIT_EXCEEDED', 'INTERNAL'].includes(code))
  assert.deepEqual(first.field in whole ? [] : wrong, [])
  const before = await dump(world)
  const refused: Call[] = []
  for (const spot of spots) refused.push(...(await tryAt(ctx, spot, valuesFor(spot))))
  const after = await dump(world)
  if (first.root !== 'mutation') return assert.deepEqual(changed(before, after), [])
  // Some values were right. A part of the others once more, by themselves.
  if (changed(before, after).length > 0) for (const call of refused.filter((_, i) => i % 5 === 0)) await tryAgain(call)
  assert.deepEqual(changed(after, await dump(world)), [])
}

const ofDocuments = /[pP]ost/

/** A condition on a key of groups is one of what is among the keys. */
function grouped(spot: Spot): Spot {
  const key = spot.path[0] === 'having' ? spot.path[spot.path.indexOf('key') + 1] : undefined
  if (!spot.path.includes('key') || key === undefined) return spot
  return { ...spot, variablesWith: (value) => ({ ...spot.variablesWith(value), groupBy: [{ [key]: 'VALUE' }] }) }
}

for (const [whose, contextOf] of Object.entries({ accounts: () => account, projects: () => owner })) {
  test(`every place in the API of ${whose} takes a value or refuses it by name, and changes nothing then`, async (t) => {
    const spots = spotsOf(await schemas.for(contextOf()), sample).filter(({ field }) => !ofDocuments.test(field))
    for (const [field, places] of Map.groupBy(spots, ({ root, field }) => `${root} ${field}`)) {
      await t.test(field, () => tryField(contextOf(), places, valuesForNames))
      // Room for the next ones.
      await world.app.sql.query(`delete from tasks where name <> 'a'`)
    }
  })
}

test('so does every place in the API of documents', async (t) => {
  const places = spotsOf(await schemas.for(owner), sample)
  const spots = places.filter(({ field }) => ofDocuments.test(field)).map(grouped)
  for (const [field, each] of Map.groupBy(spots, ({ root, field }) => `${root} ${field}`))
    await t.test(field, async () => {
      await world.app.sql.query(`truncate "${owner.projectId}"."${posts}", events.outbox`)
      await tryField(owner, each, valuesForDocuments)
    })
})

const all = [...texts, ...values]
const known = new Set<string>()
const isNew = (name: string) => !known.has(name) && known.add(name)

let turn = 0
/** Some of them, the next ones each time. */
const some = (list: readonly unknown[], count: number) =>
  Array.from({ length: count }, () => list[turn++ % list.length])

/** Every text for what holds texts, every value for what holds anything, and for the rest some, in turn. */
function valuesForNames({ type, path, coordinate }: Spot): readonly unknown[] {
  // What attributes and indexes are is read by one code, wherever they are asked for.
  const isRead = /^(Attribute|Index|CollectionRule|Permission)Input/.test(coordinate) && !isNew(`${path.at(-1)}`)
  const isText = type.name === 'String' || type.name === 'ID'
  if (isText) return isRead ? some(texts, 4) : [...texts, ...some(values, 2)]
  return type.name === 'JSON' && isNew(`JSON ${path.at(-1)}`) ? values : some(values, 3)
}

/** Everything for each type of value that is met for the first time, and some in turn for each input. */
function valuesForDocuments({ root, type, coordinate }: Spot): readonly unknown[] {
  if (root !== 'subscription' && isNew(`${root} ${type.name}`)) return all
  return some(all, isNew(coordinate) ? 3 : turn++ % 4 === 0 ? 1 : 0)
}
