import assert from 'node:assert/strict'
import { connect as connectTcp } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { until } from '../testing/feed.ts'
import { type Client, connect, createFixture, type Fixture } from '../testing/server.ts'
import { limits } from './limits.ts'

let fixture: Fixture
let url: string
before(async () => {
  fixture = await createFixture()
  url = `${fixture.api.url}/projects/${fixture.projectId}/graphql`
})
after(() => fixture.close())

const hello = { query: '{ hello }' }
const silent = { query: 'subscription { silent { n } }' }

async function codeAfter(client: Client, ...messages: unknown[]): Promise<number> {
  for (const message of messages) client.send(message)
  return (await client.closed).code
}

test('subscribing before init closes with 4401', async () => {
  assert.equal(await codeAfter(await connect(url, false), { id: '1', type: 'subscribe', payload: hello }), 4401)
})

test('two inits close with 4429', async () => {
  assert.equal(await codeAfter(await connect(url), { type: 'connection_init' }), 4429)
})

test('no init closes with 4408', async () => {
  assert.equal((await (await connect(url, false)).closed).code, 4408)
})

test('one id twice closes with 4409', async () => {
  const subscribe = { id: '1', type: 'subscribe', payload: silent }
  assert.equal(await codeAfter(await connect(url), subscribe, subscribe), 4409)
})

test('another subprotocol closes with 4406', async () => {
  for (const protocol of ['graphql-ws', 'mqtt']) {
    // The client library closes first, with 1006, when the server chose none of its protocols.
    await assert.rejects(connect(url, false, {}, protocol), /subprotocol/)
  }
  const code = await new Promise<number>((resolve, reject) => {
    const key = 'dGhlIHNhbXBsZSBub25jZQ=='
    const socket = connectTcp(Number(new URL(url).port), '127.0.0.1', () => {
      socket.write(
        `GET ${new URL(url).pathname} HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\nsec-websocket-protocol: graphql-ws\r\n\r\n`,
      )
    })
    let bytes: Buffer = Buffer.alloc(0)
    socket.on('error', reject).on('data', (chunk) => {
      bytes = Buffer.concat([bytes, Buffer.from(chunk)])
      const frame = bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)
      if (frame.length >= 4) {
        resolve(frame.readUInt16BE(2))
        socket.destroy()
      }
    })
  })
  assert.equal(code, 4406)
})

test('a foreign origin is refused at the upgrade', async () => {
  for (const origin of ['https://evil.example', 'null', 'https://app.example.evil.example', '']) {
    await assert.rejects(connect(url, false, { headers: { origin } }), /403/, origin)
  }
  const client = await connect(url, {}, { origin: 'https://app.example' })
  client.socket.terminate()
})

test('other paths are refused at the upgrade', async () => {
  for (const path of ['/', '/health', '/graphql/', '/projects/a%2Fb/graphql']) {
    await assert.rejects(connect(fixture.api.url + path, false), /404/, path)
  }
  await assert.rejects(connect(`${url}?${'x'.repeat(limits.urlBytes)}`, false), /414/)
})

test('a frame of 10 MB closes the socket', async () => {
  const client = await connect(url)
  client.socket.send('x'.repeat(10_000_000), () => {})
  assert.equal((await client.closed).code, 1009)
})

test('what is no message closes with 4400', async () => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"type":"nothing"}',
    '{"type":"subscribe","id":"","payload":{"query":"{ hello }"}}',
    '{"type":"subscribe","id":"1","payload":{}}',
    `${'['.repeat(400_000)}`,
  ]) {
    const client = await connect(url)
    client.socket.send(text)
    assert.equal((await client.closed).code, 4400, text.slice(0, 80))
  }
})

test('bytes that are no UTF-8 close with 1007', async () => {
  const client = await connect(url)
  client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false })
  assert.equal((await client.closed).code, 1007)
})

test('a bad credential closes with 4403 and says why', async () => {
  for (const authorization of ['Bearer nonsense', `${fixture.authorization}x`, 'null']) {
    const client = await connect(url, false)
    client.send({ type: 'connection_init', payload: { authorization } })
    const { code, reason } = await client.closed
    assert.equal(code, 4403)
    assert.match(reason, /credential/)
    assert.deepEqual(client.messages, [])
  }
  const elsewhere = await connect(`${fixture.api.url}/projects/prj_none/graphql`, false)
  assert.equal(await codeAfter(elsewhere, { type: 'connection_init' }), 4403)
})

test('the credential is taken in any case, from init or from the upgrade', async () => {
  const { authorization } = fixture
  const clients = [
    await connect(url, { authorization }),
    await connect(url, { AUTHORIZATION: authorization }),
    await connect(url, {}, { headers: { authorization } }),
  ]
  for (const client of clients) {
    client.send({ id: '1', type: 'subscribe', payload: { query: '{ me }' } })
    const [, next] = await client.received(2)
    assert.deepEqual(next?.payload, { data: { me: 'key key_test' } })
    client.socket.terminate()
  }
  for (const init of [{ authorization: null }, { authorization: {} }, { authorization: '' }, { other: 1 }]) {
    const client = await connect(url, init)
    client.send({ id: '1', type: 'subscribe', payload: { query: '{ me }' } })
    assert.deepEqual((await client.received(2))[1]?.payload, { data: { me: 'guest' } })
    client.socket.terminate()
  }
})

test('a credential that is revoked closes the socket at its next operation', async () => {
  const world = await createFixture()
  const client = await connect(`${world.api.url}/projects/${world.projectId}/graphql`, {
    authorization: world.authorization,
  })
  await world.world.app.db.key.deleteMany()
  world.world.app.identities.forget(['key_test'])
  client.send({ id: '1', type: 'subscribe', payload: hello })
  assert.equal((await client.closed).code, 4403)
  await world.close()
})

test('a socket runs 100 operations at a time', async () => {
  const client = await connect(url)
  for (let i = 0; i < limits.socketOperations; i += 1) client.send({ id: `s${i}`, type: 'subscribe', payload: silent })
  await wait(300)
  client.send({ id: 'more', type: 'subscribe', payload: hello })
  const [, refused] = await client.received(2)
  assert.equal(refused?.type, 'error')
  assert.match(JSON.stringify(refused), /LIMIT_EXCEEDED/)
  client.send({ id: 's0', type: 'complete' })
  client.send({ id: 'again', type: 'subscribe', payload: hello })
  const [, , next] = await client.received(4)
  assert.deepEqual(next, { id: 'again', type: 'next', payload: { data: { hello: 'world' } } })
  client.socket.terminate()
})

test('ids may be any text', async () => {
  const client = await connect(url)
  for (const id of ['__proto__', 'constructor', 'toString', '../', '\u202e', '\r\n']) {
    client.send({ id, type: 'subscribe', payload: hello })
  }
  const messages = await client.received(13)
  assert.equal(messages.filter(({ type }) => type === 'next').length, 6)
  client.socket.terminate()
})

test('who does not read is closed with 4008 and its last cursor, and the others never notice', async () => {
  const slow = await connect(url)
  const quick = await connect(url)
  slow.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { flood { cursor n text } }' } })
  await slow.received(4)
  slow.socket.pause()
  const started = performance.now()
  while (performance.now() - started < limits.socketStallMs + 1_000) {
    quick.send({ id: String(performance.now()), type: 'subscribe', payload: hello })
    const asked = performance.now()
    await quick.received(quick.messages.length + 2)
    assert.ok(performance.now() - asked < 1_000)
    await wait(200)
  }
  quick.socket.terminate()
  const { flooded } = fixture.seen
  assert.ok(flooded * 100_000 < 50_000_000, `${flooded} events were made for a client that read nothing`)
  await wait(300)
  assert.equal(fixture.seen.flooded, flooded)
  slow.socket.resume()
  const { code, reason } = await slow.closed
  assert.equal(code, 4008)
  const last = slow.messages.at(-1)?.payload as { data: { flood: { cursor: string } } }
  assert.equal(reason, `Too slow. Last cursor: ${last.data.flood.cursor}`)
})

test('more than a megabyte that waits closes with 4008', async () => {
  const slow = await connect(url)
  slow.socket.pause()
  for (let i = 0; i < 50; i += 1) {
    slow.send({ id: `${i}`, type: 'subscribe', payload: { query: 'subscription { flood { text } }' } })
  }
  await wait(limits.socketBacklogMs + 500)
  slow.socket.resume()
  assert.deepEqual(await slow.closed, { code: 4008, reason: 'Too slow.' })
})

test('a large answer is no slow consumer', async () => {
  const client = await connect(url)
  client.send({ id: '1', type: 'subscribe', payload: { query: '{ text(size: 8000000) }' } })
  client.send({ id: '2', type: 'subscribe', payload: hello })
  await client.received(5)
  client.socket.terminate()
})

test('a process holds so many sockets open, of a project and from an address; one that closes makes room', async () => {
  const limited = async (env: Record<string, string>, status: RegExp) => {
    const world = await createFixture(env)
    const at = `${world.api.url}/projects/${world.projectId}/graphql`
    const [first] = [await connect(at), await connect(at)]
    await assert.rejects(connect(at, false), status)
    first.socket.terminate()
    await first.closed
    await until(
      async () => (await connect(at).catch(() => null)) !== null,
      () => 'there was no room',
    )
    await world.close()
  }
  await limited({ SOCKETS_PER_ADDRESS: '2' }, /429/)
  await limited({ SOCKETS_PER_PROJECT: '2' }, /503/)
  await limited({ SOCKETS_PER_NODE: '2' }, /503/)
})
