import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { after, before, test } from 'node:test'
import { createEgress, EgressFailed, EgressRefused, isAllowed } from './egress.ts'

/** Something that must never be reached, on every loopback address there is. */
const canary = createTcpServer((socket) => {
  touched += 1
  socket.destroy()
})
let touched = 0
let port = 0

before(async () => {
  canary.listen(0, '::')
  await once(canary, 'listening')
  port = (canary.address() as AddressInfo).port
})
after(() => canary.close())

const loopback = [
  '127.0.0.1',
  'localhost',
  '0x7f.1',
  '2130706433',
  '0177.0.0.1',
  '127.1',
  '0.0.0.0',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  'LOCALHOST.',
  '１２７.0.0.1',
]

test('nothing reaches loopback, however it is written', async () => {
  const egress = createEgress([])
  for (const host of loopback) {
    await assert.rejects(
      egress.send({ method: 'GET', url: `http://${host}:${port}/` }),
      (error) => error instanceof EgressRefused || error instanceof EgressFailed,
      host,
    )
  }
  await egress.close()
  assert.equal(touched, 0)
})

test('private, link-local and metadata addresses are refused', async () => {
  const egress = createEgress([])
  const hosts = [
    '169.254.169.254',
    '10.0.0.1',
    '192.168.1.1',
    '172.16.0.1',
    '100.64.0.1',
    '[fd00::1]',
    '[fe80::1]',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
  ]
  for (const host of hosts)
    await assert.rejects(egress.send({ method: 'GET', url: `http://${host}/` }), EgressRefused, host)
  await egress.close()
})

test('a name whose address changes between the check and the connection has no second lookup', async () => {
  let lookups = 0
  const egress = createEgress(['203.0.113.0/24'], async () => {
    lookups += 1
    return [{ address: lookups === 1 ? '203.0.113.9' : '127.0.0.1', family: 4 }]
  })
  await assert.rejects(egress.send({ method: 'GET', url: `http://rebind.example:${port}/`, timeoutMs: 300 }))
  assert.equal(lookups, 1)
  await assert.rejects(
    egress.send({ method: 'GET', url: `http://rebind.example:${port}/`, timeoutMs: 300 }),
    EgressRefused,
  )
  await egress.close()
  assert.equal(touched, 0)
})

test('one private address among public ones spoils the name', async () => {
  const egress = createEgress([], async () => [
    { address: '93.184.215.14', family: 4 },
    { address: '::1', family: 6 },
  ])
  await assert.rejects(egress.send({ method: 'GET', url: `http://mixed.example:${port}/` }), EgressRefused)
  await egress.close()
  assert.equal(touched, 0)
})

test('other schemes and credentials in the address are refused', async () => {
  const egress = createEgress(['127.0.0.0/8'])
  for (const url of [
    'file:///etc/passwd',
    'ftp://127.0.0.1/',
    'gopher://127.0.0.1/',
    'nonsense',
    'http://a:b@127.0.0.1/',
  ]) {
    await assert.rejects(egress.send({ method: 'GET', url }), EgressRefused, url)
  }
  await egress.close()
})

test('the operator can allow a range; redirects are not followed, and the body is cut', async () => {
  const paths: string[] = []
  const server: Server = createServer((request, response) => {
    paths.push(request.url ?? '')
    if (request.url === '/big') return response.end('x'.repeat(1_000_000))
    response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const egress = createEgress(['127.0.0.0/8'])
  assert.equal((await egress.send({ method: 'POST', url: `${url}/go`, body: '{}' })).status, 302)
  assert.equal((await egress.send({ method: 'GET', url: `${url}/big` })).body.length, 64 * 1024)
  assert.deepEqual(paths, ['/go', '/big'])
  assert.equal(touched, 0)
  await egress.close()
  server.closeAllConnections()
  server.close()
})

test('fetch goes by the same rules, at every hop', async () => {
  let canary = 0
  const inside = createServer((_, res) => {
    canary += 1
    res.end()
  })
  const outside = createServer((req, res) => {
    const to = req.url === '/name' ? 'http://rebind.example' : 'http://127.0.0.1'
    res.writeHead(302, { location: `${to}:${(inside.address() as AddressInfo).port}/` }).end()
  })
  await Promise.all([
    once(inside.listen(0, '127.0.0.1'), 'listening'),
    once(outside.listen(0, '127.0.0.2'), 'listening'),
  ])
  // The first answer is a public address, the second is this machine: as one who rebinds a name would have it.
  let lookups = 0
  const egress = createEgress(['127.0.0.2/32'], async () => {
    lookups += 1
    return [{ address: lookups === 1 ? '127.0.0.2' : '127.0.0.1', family: 4 }]
  })
  const { signal } = new AbortController()
  const rest = {
    method: 'GET',
    headers: [],
    body: Buffer.alloc(0),
    redirect: 'follow',
    timeoutMs: 500,
    signal,
  } as const
  const { port: outsidePort } = outside.address() as AddressInfo
  const { port: insidePort } = inside.address() as AddressInfo
  await assert.rejects(egress.fetch({ ...rest, url: `http://127.0.0.2:${outsidePort}/address` }), EgressRefused)
  await assert.rejects(egress.fetch({ ...rest, url: `http://rebind.example:${outsidePort}/name` }), EgressRefused)
  await assert.rejects(egress.fetch({ ...rest, url: `http://rebind.example:${insidePort}/` }), EgressRefused)
  assert.deepEqual([canary, lookups], [0, 3])
  await egress.close()
  inside.close()
  outside.close()
})

test('a server that never answers is given up in time', async () => {
  const server = createServer(() => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const egress = createEgress(['127.0.0.1'])
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await assert.rejects(egress.send({ method: 'GET', url, timeoutMs: 200 }), { message: 'There was no answer in time.' })
  await egress.close()
  server.closeAllConnections()
  server.close()
})

test('only public unicast is allowed by itself', () => {
  assert.ok(isAllowed('93.184.215.14', []))
  assert.ok(isAllowed('2606:2800:21f:cb07:6820:80da:af6b:8b2c', []))
  for (const text of ['::ffff:10.0.0.1', '64:ff9b::a00:1', '2002:a00:1::', '2001:db8::1', '0.0.0.0', 'nonsense', '']) {
    assert.equal(isAllowed(text, []), false, text)
  }
})
