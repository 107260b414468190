import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Api, startApi } from '../api.ts'
import { attemptLimits } from '../modules/accounts/attempts.ts'
import { connect, json, poster, read } from '../testing/server.ts'
import { createWorld, type World } from '../testing/world.ts'

let world: World
let api: Api
let path: string
before(async () => {
  world = await createWorld({ PORT: '0' })
  api = await startApi(world.app)
  path = `/projects/${(await world.createProject()).projectId}/graphql`
})
after(async () => {
  await api.close()
  await world.close()
})

type Answer = { errors: { extensions: { code: string } }[] }

const attempt = (n: number) => `a${n}: signIn(input: { email: "ann@example.org", password: "wrong ${n}" }) { secret }`
/** Of which the first ends it. */
const query = `mutation { ${[1, 2, 3].map(attempt).join(' ')} }`
const one = { query: `mutation { ${attempt(0)} }` }

test('wrong passwords count whatever the alias, the batch, the transport and X-Forwarded-For', async () => {
  const post = poster(api.url)
  const answers = [
    await read(await post({ query }, json, path)),
    ...(await read(await post([{ query }, ...Array(5).fill(one)], json, path))),
  ]
  const socket = await connect(api.url + path)
  for (const id of ['1', '2', '3']) socket.send({ id, type: 'subscribe', payload: one })
  const messages = (await socket.received(7)).filter(({ type }) => type === 'next')
  answers.push(...messages.map(({ payload }) => payload))
  socket.socket.terminate()
  const codes = (answers as Answer[]).flatMap(({ errors }) => errors.map(({ extensions }) => extensions.code))
  assert.deepEqual(codes, Array(attemptLimits.passwordsHere).fill('UNAUTHENTICATED'))

  const refused = await post(one, { ...json, 'x-forwarded-for': '203.0.113.7' }, path)
  const { code, retryAfterMs } = (await read(refused)).errors[0].extensions
  assert.equal(code, 'LIMIT_EXCEEDED')
  assert.equal(Number(refused.headers.get('retry-after')), Math.ceil(retryAfterMs / 1_000))
})
