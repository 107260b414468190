import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { asSystem, type Context } from '../src/context.ts'
import { noteFailure } from '../src/modules/certificates/certificates.ts'
import { createHosts } from '../src/modules/domains/hosts.ts'
import { deleteFunction } from '../src/modules/functions/functions.ts'
import { freePort } from '../src/servers/ports.ts'
import { makeFunction } from '../src/testing/functions.ts'
import { operate } from '../src/testing/operation.ts'
import { type Pebble, startPebble } from '../src/testing/pebble.ts'
import { eventually } from '../src/testing/receiver.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { createSchemas, type Schemas } from './schemas.ts'

let world: World
let pebble: Pebble
let schemas: Schemas
let ctx: Context
before(async () => {
  pebble = await startPebble(1, await freePort())
  const env = {
    ACME_EMAIL: 'operator@example.org',
    DNS_SERVERS: pebble.dnsServer,
    DOMAINS_TARGET: 'api.tendril.example',
  }
  world = await createWorld(env)
  schemas = createSchemas(world.app)
  ctx = (await world.createProject()).owner
})
after(async () => {
  await schemas.close()
  await world.close()
  await pebble.stop()
})

const create = 'mutation ($input: CreateDomainInput!) { createDomain(input: $input) { id name status } }'
const verify = 'mutation ($id: ID!) { verifyDomain(id: $id) { status verifiedAt error } }'
const remove = 'mutation ($id: ID!) { deleteDomain(id: $id) }'
const prove = (name: string, { projectId } = ctx) => pebble.say(`_tendril.${name}`, `project=${projectId}`)
const make = async (name: string, by = ctx) =>
  (await operate(schemas, by, create, { input: { name } })).data?.createDomain
const key = (...scopes: string[]) => world.context(ctx.projectId, { kind: 'key', id: 'key_1', scopes: new Set(scopes) })

test('a domain is added, told where to point, verified, listed and deleted', async () => {
  const { id, ...made } = await make('Shop.Example.')
  assert.deepEqual(made, { name: 'shop.example', status: 'PENDING' })
  const read =
    'query ($id: ID!) { domain(id: $id) { target { name type value } proof { name type value } expiresAt } domains { totalCount nodes { id } } }'
  const { data } = await operate(schemas, ctx, read, { id })
  assert.deepEqual(data?.domain, {
    target: { name: 'shop.example', type: 'CNAME', value: 'api.tendril.example' },
    proof: { name: '_tendril.shop.example', type: 'TXT', value: `project=${ctx.projectId}` },
    expiresAt: null,
  })
  assert.deepEqual(data?.domains, { totalCount: 1, nodes: [{ id }] })
  await pebble.pointTo('shop.example', { alias: 'api.tendril.example.' })
  await prove('shop.example')
  const verified = (await operate(schemas, ctx, verify, { id })).data?.verifyDomain
  assert.deepEqual([verified.status, verified.error], ['ISSUING', null])
  assert.match((await operate(schemas, ctx, verify, { id })).errors[0] ?? '', /^CONFLICT /)
  assert.deepEqual((await operate(schemas, ctx, remove, { id })).data, { deleteDomain: id })
  assert.equal((await operate(schemas, ctx, read, { id })).data?.domain, null)
  assert.deepEqual(await world.emitted(), ['domains.created', 'domains.verified', 'domains.deleted'])
})

/** Has `work` done when DNS has been looked at, and before what it says is written. */
async function whileItWaits<T>(name: string, verifying: () => Promise<T>, work: () => Promise<unknown>): Promise<T> {
  const holder = await ctx.sql.connect()
  await holder.query('begin')
  await holder.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`domains ${name}`])
  const outcome = verifying()
  await eventually(async () => {
    const { rows } = await ctx.sql.query(`select 1 from pg_locks where locktype = 'advisory' and not granted
      and database = (select oid from pg_database where datname = current_database())`)
    assert.equal(rows.length, 1)
  })
  await work()
  await holder.query('commit')
  holder.release()
  return outcome
}

test('one that is deleted while it is verified is none', async () => {
  const { id, name } = await make('deleted.example')
  await pebble.pointTo(name, { alias: 'api.tendril.example.' })
  await prove(name)
  const verifying = await whileItWaits(
    name,
    () => operate(schemas, ctx, verify, { id }),
    () => operate(schemas, ctx, remove, { id }),
  )
  assert.match(verifying.errors[0] ?? '', /^NOT_FOUND /)
})

test('one that points elsewhere is not verified, and is told what it needs', async () => {
  await pebble.pointTo('elsewhere.example', { address: '192.0.2.1' })
  const { id } = await make('elsewhere.example')
  const { errors } = await operate(schemas, ctx, verify, { id })
  assert.match(
    errors[0] ?? '',
    /^INVALID elsewhere.example does not point here yet: it needs a record elsewhere.example CNAME api.tendril.example/,
  )
  assert.equal((await ctx.db.domain.findUniqueOrThrow({ where: { id } })).status, 'PENDING')
  // The same addresses do as well as an alias.
  await pebble.pointTo('same.example', { address: '127.0.0.1' })
  await prove('same.example')
  const same = await make('same.example')
  assert.equal((await operate(schemas, ctx, verify, { id: same.id })).data?.verifyDomain.status, 'ISSUING')
})

test('a name belongs to the project that has verified it', async () => {
  const other = (await world.createProject()).owner
  const [first, second] = [await make('mine.example'), await make('mine.example', other)]
  await prove('mine.example')
  const early = await operate(schemas, other, verify, { id: second.id })
  assert.match(early.errors[0] ?? '', /^INVALID mine.example is not known to be for this project: .* TXT project=prj_/)
  assert.equal((await operate(schemas, ctx, verify, { id: first.id })).errors.length, 0)
  await prove('mine.example', other)
  assert.match((await operate(schemas, other, verify, { id: second.id })).errors[0] ?? '', /^CONFLICT /)
  // What was verified is, and its certificate is tried again, though the record is gone.
  await ctx.db.domain.update({ where: { id: first.id }, data: { status: 'FAILED' } })
  assert.equal((await operate(schemas, ctx, verify, { id: first.id })).errors.length, 0)
})

test('a name that has another owner is taken over by the project that they say it is for', async () => {
  const other = (await world.createProject()).owner
  const name = 'moved.example'
  const [first, second] = [await make(name), await make(name, other)]
  const verifyAs = async (by: Context, id: string) => (await operate(schemas, by, verify, { id })).errors[0] ?? ''
  const row = (id: string) => ctx.db.domain.findUniqueOrThrow({ where: { id } })
  await prove(name)
  assert.equal(await verifyAs(ctx, first.id), '')
  const certified = { status: 'ISSUED', certificate: 'c', privateKey: 'k', expiresAt: new Date(), failures: 1 } as const
  const before = await ctx.db.domain.update({ where: { id: first.id }, data: certified })
  await prove(name, other)
  const refused = await verifyAs(other, second.id)
  assert.match(refused, new RegExp(`^CONFLICT .* the record _tendril.${name} TXT project=${ctx.projectId} is gone`))
  await pebble.silence(`_tendril.${name}`)
  await prove(name, other)
  assert.equal(await verifyAs(other, second.id), '')
  const { status, reason, verifiedAt, certificate, privateKey, expiresAt, renewAt } = await row(first.id)
  assert.deepEqual([status, reason], ['PENDING', 'Another project has verified this domain.'])
  assert.deepEqual([verifiedAt, certificate, privateKey, expiresAt, renewAt], [null, null, null, null, null])
  const { rows } = await ctx.sql.query(
    `select "projectId", "actorKind", "actorId", "executionId" from events.outbox where type = 'domains.revoked'`,
  )
  assert.deepEqual(rows, [{ projectId: ctx.projectId, actorKind: 'system', actorId: 'domains', executionId: null }])
  assert.equal((await createHosts(world.app).find(name))?.projectId, other.projectId)
  // A certificate that was asked for before is not this project's matter any more.
  await noteFailure(asSystem(world.app, 'test', ''), before, 'It failed.')
  assert.equal((await row(first.id)).status, 'PENDING')
  assert.match(await verifyAs(ctx, first.id), /^INVALID .* is not known to be for this project/)
  await prove(name)
  assert.match(await verifyAs(ctx, first.id), /^CONFLICT /)
})

test('a domain that another project has taken over while it is tried again needs its record', async () => {
  const { id, name } = await make('lost.example')
  await prove(name)
  assert.equal((await operate(schemas, ctx, verify, { id })).errors.length, 0)
  await ctx.db.domain.update({ where: { id }, data: { status: 'FAILED' } })
  await pebble.silence(`_tendril.${name}`)
  // That project has deleted it at once.
  const lose = () => ctx.db.domain.update({ where: { id }, data: { status: 'PENDING', verifiedAt: null } })
  const { errors } = await whileItWaits(name, () => operate(schemas, ctx, verify, { id }), lose)
  assert.match(errors[0] ?? '', /^CONFLICT /)
  assert.equal((await ctx.db.domain.findUniqueOrThrow({ where: { id } })).verifiedAt, null)
})

test('what is no name, is there already, or is the server itself is refused', async () => {
  for (const name of [
    '',
    'a',
    '-a.example',
    'a b.example',
    '*.example.com',
    '10.0.0.1',
    'https://a.example',
    `${'a'.repeat(64)}.example`,
  ]) {
    const { errors } = await operate(schemas, ctx, create, { input: { name } })
    assert.match(errors[0] ?? '', /^INVALID .*\(input\.name\)$/, name)
  }
  await make('twice.example')
  for (const name of ['twice.example', 'api.tendril.example']) {
    assert.match((await operate(schemas, ctx, create, { input: { name } })).errors[0] ?? '', /^CONFLICT /, name)
  }
})

test("another project's domain is not there, and a key needs the scope", async () => {
  const { id } = await make('private.example')
  const other = (await world.createProject()).owner
  for (const operation of [verify, remove]) {
    assert.match((await operate(schemas, other, operation, { id })).errors[0] ?? '', /^NOT_FOUND /)
    assert.match((await operate(schemas, ctx, operation, { id: 'dom_none' })).errors[0] ?? '', /^NOT_FOUND /)
  }
  const list = '{ domains { totalCount } }'
  assert.ok((await operate(schemas, key('domains.read'), list)).data)
  assert.equal((await operate(schemas, key('users.read'), list)).data?.domains, undefined)
  assert.notEqual((await operate(schemas, key('domains.read'), remove, { id })).errors.length, 0)
})

test('a domain is pointed at a function of the project, and at the API again', async () => {
  const point = 'mutation ($input: PointDomainInput!) { pointDomain(input: $input) { functionId } }'
  const { id } = await make('functions.example')
  const { id: functionId } = await makeFunction(ctx)
  const set = (given: object, as = ctx) => operate(schemas, as, point, { input: { id, ...given } })
  assert.deepEqual((await set({ functionId })).data, { pointDomain: { functionId } })
  assert.deepEqual((await set({ functionId: null })).data, { pointDomain: { functionId: null } })
  assert.equal((await world.emitted()).filter((type) => type === 'domains.pointed').length, 2)
  const other = (await world.createProject()).owner
  const foreign = await makeFunction(other)
  await deleteFunction(ctx, functionId)
  for (const absent of [foreign.id, functionId, 'fun_none'])
    assert.deepEqual((await set({ functionId: absent })).errors, [
      'NOT_FOUND There is no such function. (input.functionId)',
    ])
  assert.deepEqual((await set({ functionId: foreign.id }, other)).errors, [
    'NOT_FOUND There is no such domain. (input.id)',
  ])
  assert.notEqual((await set({}, key('domains.read'))).errors.length, 0)
  assert.equal((await set({}, key('domains.read', 'domains.write'))).errors.length, 0)
})

test('without ACME_EMAIL there are none', async () => {
  const { ACME_EMAIL: _off, ...env } = ctx.env
  const { errors } = await operate(schemas, { ...ctx, env }, create, { input: { name: 'late.example' } })
  assert.match(errors[0] ?? '', /^UNAVAILABLE .*ACME_EMAIL/)
})
