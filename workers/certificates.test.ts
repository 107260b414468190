import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { Agent, get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Api, startApi } from '../src/api.ts'
import type { Context } from '../src/context.ts'
import { decrypt } from '../src/lib/secrets.ts'
import { createDomain, verifyDomain } from '../src/modules/domains/domains.ts'
import { createEgress } from '../src/platform/egress.ts'
import { freePort } from '../src/servers/ports.ts'
import { type Haproxy, startHaproxy } from '../src/testing/haproxy.ts'
import { type Pebble, startPebble } from '../src/testing/pebble.ts'
import { createReceiver, eventually } from '../src/testing/receiver.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { issue, Postponed } from './certificates/acme.ts'
import { startWorkers } from './start.ts'
import '../src/testing/agenda.ts'

let dir: string
let world: World
let ctx: Context
let api: Api
let pebble: Pebble
let workers: Awaited<ReturnType<typeof startWorkers>>
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tendril-certificates-'))
  const [port, pebblePort] = [await freePort(), await freePort()]
  pebble = await startPebble(port, pebblePort)
  world = await createWorld({
    PORT: String(port),
    ACME_EMAIL: 'operator@example.org',
    ACME_DIRECTORY_URL: pebble.directoryUrl,
    DNS_SERVERS: pebble.dnsServer,
    CERTIFICATES_DIR: dir,
    EGRESS_ALLOW: '127.0.0.1/32',
  })
  ctx = (await world.createProject()).owner
  api = await startApi(world.app)
  workers = await startWorkers(world.app, { sweepEveryMs: 200, queue: { lockMs: 4_000, touchEveryMs: 1_000 } })
})
after(async () => {
  await workers.stop()
  await api.close()
  await world.close()
  await pebble.stop()
  await rm(dir, { recursive: true, force: true })
})

const domainOf = (id: string) => ctx.db.domain.findUniqueOrThrow({ where: { id } })
const pemOf = (name: string) => join(dir, 'certificates', `${name}.pem`)

async function issued(name: string): Promise<string> {
  const { id } = await createDomain(ctx, { name })
  await pebble.say(`_tendril.${name}`, `project=${ctx.projectId}`)
  await verifyDomain(ctx, id)
  await eventually(async () => assert.equal((await domainOf(id)).status, 'ISSUED'), 20_000)
  await eventually(() => readFile(pemOf(name)))
  return id
}

test('a domain gets a certificate; its key is encrypted at rest and lies where only the proxy reads it', async () => {
  const id = await issued('a.example')
  const { certificate, privateKey, expiresAt, renewAt, reason } = await domainOf(id)
  const { subjectAltName, validToDate } = new X509Certificate(certificate ?? '')
  assert.deepEqual([subjectAltName, expiresAt, reason], ['DNS:a.example', validToDate, null])
  assert.ok(renewAt && renewAt.getTime() < validToDate.getTime() - 29 * 86_400_000)
  assert.doesNotMatch(privateKey ?? '', /PRIVATE/)
  const account = await ctx.db.acmeAccount.findFirstOrThrow()
  assert.doesNotMatch(account.key, /PRIVATE/)
  const key = decrypt(ctx.env.SECRET_KEYS, privateKey ?? '')
  assert.equal(await readFile(pemOf('a.example'), 'utf8'), `${certificate?.trim()}\n${key.trim()}\n`)
  assert.equal((await stat(pemOf('a.example'))).mode & 0o777, 0o600)
  const { tls, http } = JSON.parse(await readFile(join(dir, 'tendril.yml'), 'utf8'))
  assert.deepEqual(tls.certificates, [{ certFile: pemOf('a.example'), keyFile: pemOf('a.example') }])
  assert.equal(http.routers[id].rule, 'Host(`a.example`)')
  assert.equal(await ctx.db.acmeChallenge.count(), 0)
  assert.equal((await fetch(`${api.url}/.well-known/acme-challenge/${'x'.repeat(43)}`)).status, 404)
})

test('what the authority refuses is said, and tried again later', async () => {
  const { id } = await createDomain(ctx, { name: 'b.example' })
  // Nothing answers there.
  await pebble.pointTo('b.example', { address: '127.0.0.9' })
  const now = new Date()
  await ctx.db.domain.update({ where: { id }, data: { status: 'ISSUING', verifiedAt: now, renewAt: now } })
  await eventually(async () => assert.equal((await domainOf(id)).status, 'FAILED'), 20_000)
  const { reason, failures, renewAt } = await domainOf(id)
  assert.match(reason ?? '', /127\.0\.0\.9/)
  assert.equal(failures, 1)
  assert.ok(renewAt && renewAt.getTime() > Date.now() + 4 * 60_000)
})

test('the authority is reached only where that is allowed, and left alone when it says so', async () => {
  const guarded = createEgress([])
  await assert.rejects(issue(ctx, guarded, 'c.example'), /not a public address/)
  await guarded.close()
  const busy = await createReceiver({ status: 429, headers: { 'retry-after': '7200' } })
  const egress = createEgress(['127.0.0.1'])
  const elsewhere = { ...ctx, env: { ...ctx.env, ACME_DIRECTORY_URL: busy.url } }
  await assert.rejects(issue(elsewhere, egress, 'c.example'), (error) => {
    assert.ok(error instanceof Postponed)
    return error.waitMs === 7_200_000
  })
  assert.equal(busy.received.length, 1)
  await egress.close()
  busy.close()
})

test('a real proxy serves the certificate, and its renewal drops no connection and fails no request', async (t) => {
  const name = 'proxied.example'
  const id = await issued(name)
  const proxy: Haproxy = await startHaproxy(join(dir, 'certificates'), world.env.PORT)
  t.after(proxy.stop)
  const ca = await pebble.root()
  const ask = (agent: Agent | false) =>
    new Promise<{ serial: string; localPort: number }>((resolve, reject) => {
      const options = { port: proxy.port, host: '127.0.0.1', servername: name, headers: { host: name }, ca, agent }
      const request = get({ ...options, path: '/health' }, (response) => {
        const { localPort } = response.socket
        const serial = Reflect.get(response.socket, 'getPeerCertificate').call(response.socket).serialNumber
        response
          .resume()
          .on('end', () =>
            response.statusCode === 200
              ? resolve({ serial, localPort: localPort ?? 0 })
              : reject(new Error(`HTTP ${response.statusCode}`)),
          )
      })
      request.on('error', reject)
    })
  const { serial: first } = await eventually(() => ask(false))
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const seen = { failures: 0, requests: 0, serials: new Set<string>(), ports: new Set<number>() }
  let stopped = false
  const loop = async (through: Agent | false) => {
    while (!stopped) {
      await ask(through).then(
        ({ serial, localPort }) => {
          seen.requests += 1
          if (through) seen.ports.add(localPort)
          else seen.serials.add(serial)
        },
        () => {
          seen.failures += 1
        },
      )
      await sleep(5)
    }
  }
  const loops = [loop(agent), loop(false)]
  const before = await readFile(pemOf(name), 'utf8')
  await world.app.sql.query(`update domains set "renewAt" = now() where id = $1`, [id])
  const renewed = await eventually(async () => {
    const pem = await readFile(pemOf(name), 'utf8')
    assert.notEqual(pem, before)
    return pem
  }, 20_000)
  await proxy.replace(pemOf(name), renewed)
  const { serialNumber } = new X509Certificate(renewed)
  await eventually(() => assert.ok(seen.serials.has(serialNumber)))
  stopped = true
  await Promise.all(loops)
  assert.deepEqual([seen.failures, [...seen.serials].sort()], [0, [first, serialNumber].sort()])
  // The connection that was there before is the one that is there after.
  assert.equal(seen.ports.size, 1)
  assert.ok(seen.requests > 20)
})
