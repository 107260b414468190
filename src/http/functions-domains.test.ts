import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import WebSocket from 'ws'
import { functionStage, type Sent, streamed } from '../testing/function-stage.ts'
import { makeFunction } from '../testing/functions.ts'

const stage = functionStage()
const { credential, send } = stage

/** What a socket at `/graphql` is answered first: the type of a message, or the status that refuses it. */
function ack(host: string, origin: string): Promise<string> {
  return new Promise((resolve) => {
    const url = `${stage.api.url.replace('http', 'ws')}/graphql`
    const socket = new WebSocket(url, 'graphql-transport-ws', { headers: { host }, origin })
    socket.once('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: credential })))
    socket.once('message', (text) => {
      resolve(JSON.parse(String(text)).type)
      socket.close()
    })
    socket.once('unexpected-response', (_req, res) => {
      resolve(String(res.statusCode))
      res.resume()
    })
    socket.on('error', () => {})
  })
}

test('a domain leads to its project, or to a function; a function of another project is not there', async () => {
  const { projectId } = stage.owner
  const other = (await stage.world.createProject()).owner
  const foreign = (await makeFunction(other, '', { execute: ['any'] })).id
  const at = async (host: string, path: string, sent: Sent = {}) =>
    send(path, { ...sent, headers: { host, ...sent.headers } })
  const domain = { id: 'dom_1', projectId, name: 'api.example.org', verifiedAt: new Date() }
  await stage.world.app.db.domain.create({ data: domain })
  await stage.world.app.db.domain.create({ data: { id: 'dom_2', projectId, name: 'early.example.org' } })
  const graphql = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...credential },
    body: '{ "query": "{ __typename }" }',
  }
  // A key of the project is nobody at the console.
  assert.equal((await at('api.example.org', '/graphql', graphql)).status, 200)
  assert.equal((await at('API.example.org.:443', '/graphql', graphql)).status, 200)
  assert.equal((await at('early.example.org', '/graphql', graphql)).status, 401)
  assert.equal((await at('nobody.example.org', '/graphql', graphql)).status, 401)
  assert.equal((await at('api.example.org', `/functions/${stage.open}/x`)).status, 200)
  assert.equal((await at('api.example.org', `/functions/${foreign}/x`)).status, 404)
  assert.equal(await ack('api.example.org', 'https://api.example.org'), 'connection_ack')
  assert.equal(await ack('api.example.org', 'https://evil.example'), '403')
  assert.equal(await ack('nobody.example.org', 'https://nobody.example.org'), '403')
  await stage.world.app.db.domain.update({ where: { id: 'dom_1' }, data: { functionId: stage.open } })
  await sleep(1_100)
  stage.peer.runs.length = 0
  stage.say = (run) =>
    streamed(run, 200, { 'set-cookie': 'a=1; Path=/x', 'strict-transport-security': 'max-age=1' }, ['own'])
  const reply = await at('api.example.org', '/graphql?a=1')
  assert.equal(reply.body, 'own')
  assert.equal(stage.peer.runs[0]?.request.url, '/graphql?a=1')
  assert.deepEqual(reply.headers['set-cookie'], ['a=1; Path=/x'])
  assert.equal(reply.headers['strict-transport-security'], 'max-age=1')
  assert.equal(reply.headers['content-security-policy'], undefined)
  assert.equal(await ack('api.example.org', 'https://api.example.org'), '404')
  // Certificates are renewed all the same.
  const challenge = await at('api.example.org', `/.well-known/acme-challenge/${'x'.repeat(20)}`)
  assert.match(challenge.body, /There is no such challenge/)
})
