import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { eventually } from '../testing/receiver.ts'
import { codeOf, createFixture, type Fixture, poster, read } from '../testing/server.ts'
import { limits } from './limits.ts'

let fixture: Fixture
let post: ReturnType<typeof poster>
before(async () => {
  fixture = await createFixture()
  post = poster(fixture.api.url)
})
after(() => fixture.close())

test('what is no operation is INVALID, and never 500', async () => {
  const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`
  const bodies: Record<string, string | Uint8Array> = {
    nothing: '',
    'no JSON': '{',
    'no UTF-8': new Uint8Array([123, 34, 255, 34, 125]),
    null: 'null',
    text: '"{ hello }"',
    'no query': '{}',
    'an empty query': '{"query":" "}',
    'a query that is a list': '{"query":["{ hello }"]}',
    'another key': '{"query":"{ hello }","__proto__":1}',
    'variables that are a list': '{"query":"{ hello }","variables":[]}',
    'variables that are text': '{"query":"{ hello }","variables":"{}"}',
    'an operation name that is a number': '{"query":"{ hello }","operationName":1}',
    'no such operation': '{"query":"query A { hello }","operationName":"toString"}',
    'two operations and no name': '{"query":"query A { hello } query B { hello }"}',
    'no operation at all': '{"query":"fragment A on Query { hello }"}',
    syntax: '{"query":"{"}',
    'a type system': '{"query":"type Query { a: Int }"}',
    'a key __proto__': '{"query":"{ hello }","variables":{"a":{"__proto__":1}}}',
    'a NUL': '{"query":"{ hello }","variables":{"a":"\\u0000"}}',
    'half a surrogate pair': '{"query":"{ hello }","variables":{"a":"\\ud800"}}',
    infinity: '{"query":"{ hello }","variables":{"a":1e999}}',
    'a variable of a wrong type': '{"query":"query ($n: Int) { echo(number: $n) }","variables":{"n":"secret"}}',
    'a nesting of lists': deep,
    'a batch in a batch': '[[{"query":"{ hello }"}]]',
  }
  for (const [name, body] of Object.entries(bodies)) {
    const response = await post(body)
    assert.equal(response.status, 400, name)
    assert.equal(await codeOf(response), 'INVALID', name)
  }
  const many = { query: '{ hello }', variables: { a: Array(limits.values + 1).fill(0) } }
  for (const body of [many, `{"query":"{ hello }","variables":{"a":${deep}}}`]) {
    const response = await post(body)
    assert.equal(response.status, 400)
    assert.equal(await codeOf(response), 'LIMIT_EXCEEDED')
  }
})

test('whoever is refused before the body has come, and goes away, leaves no timer that waits for it', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const { hostname, port } = new URL(fixture.api.url)
  const before = timers()
  const socket = connect(Number(port), hostname)
  socket.write(`POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n`)
  const [answer] = await once(socket, 'data')
  assert.match(String(answer), /^HTTP\/1.1 403 /)
  socket.destroy()
  await eventually(() => assert.ok(timers() <= before, `${timers()} timers of ${before}`))
})

test('numbers at the edge and doubled keys are only JSON', async () => {
  const body =
    '{"query":"{","query":"query ($n: Int, $t: String) { echo(text: $t, number: $n) }","variables":{"n":2147483647,"t":"\\u202e../\\r\\n"}}'
  assert.deepEqual(await read(await post(body)), { data: { echo: '\u202e../\r\n' } })
  const tooLarge = await post({ query: 'query ($n: Int) { echo(number: $n) }', variables: { n: 1e308 } })
  assert.equal(await codeOf(tooLarge), 'INVALID')
})

test('bad operations are refused before any resolver', async () => {
  const { resolvers } = fixture.seen
  const times = (n: number, text: string) =>
    Array.from({ length: n }, (_, i) => text.replaceAll('#', String(i))).join(' ')
  const bad = [
    `{ ${times(400, `... { ${times(20, '... { hello }')} }`)} }`,
    `{ ...F0 } ${Array.from({ length: 30 }, (_, i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} }`).join(' ')} fragment F30 on Query { hello }`,
    '{ ...A } fragment A on Query { ...A }',
    `{ ${times(10_000, 'a#: hello')} }`,
    `mutation { ${times(1_000, 'a#: bump')} }`,
    `{ hello ${times(10_000, '@skip(if: false)')} }`,
    `{ node { ${'node { nodes { '.repeat(16)} id ${'} }'.repeat(16)} } }`,
    '{a'.repeat(20_000),
    `{ ${times(5, 's#: __schema { types { name } }')} }`,
  ]
  for (const query of bad) {
    const response = await post({ query })
    assert.equal(response.status, 400, query.slice(0, 80))
    assert.match(await codeOf(response), /^(LIMIT_EXCEEDED|INVALID)$/)
  }
  assert.equal(fixture.seen.resolvers, resolvers)
  assert.equal(
    (
      await post({
        query: '{ __schema { types { fields { type { ofType { ofType { ofType { ofType { name } } } } } } } } }',
      })
    ).status,
    200,
  )
})

test('a mistyped name is not helped along', async () => {
  for (const query of [
    '{ helo }',
    '{ fail(how: INVALI) }',
    '{ hello { x } }',
    'query ($x: Nod) { hello }',
    '{ echo(txt: "") }',
  ]) {
    const text = await (await post({ query })).text()
    assert.doesNotMatch(text, /Did you mean/, query)
    assert.match(text, /"code":"INVALID"/)
  }
  const enumeration = { query: 'query ($how: Failure!) { fail(how: $how) }', variables: { how: 'INVALI' } }
  assert.doesNotMatch(await (await post(enumeration)).text(), /Did you mean/)
})

type Told = { message: string; path: unknown; extensions: Record<string, unknown> }

async function fail(how: string): Promise<{ data: unknown; errors: Told[] }> {
  return read(await post({ query: `{ hello x: fail(how: ${how}) }` }))
}

test('an error about the input names the field that it is of, and the part of the input', async () => {
  const { errors } = await fail('INVALID')
  assert.deepEqual(errors, [
    {
      message: 'It is too short.',
      locations: [{ line: 1, column: 9 }],
      path: ['x'],
      extensions: { code: 'INVALID', path: ['input', 'name'] },
    },
  ])
})

test('errors of resolvers are told by kind, and no more is told of those that are ours', async () => {
  assert.deepEqual(await fail('FORBIDDEN'), {
    data: { hello: 'world', x: null },
    errors: [
      {
        message: 'Not you.',
        locations: [{ line: 1, column: 9 }],
        path: ['x'],
        extensions: { code: 'FORBIDDEN' },
      },
    ],
  })
  const slow = await fail('SLOW_DOWN')
  assert.deepEqual(slow.errors[0]?.extensions, {
    retryAfterMs: 1_000,
    code: 'LIMIT_EXCEEDED',
  })
  for (const how of ['BUG', 'TEXT']) {
    const { errors } = await fail(how)
    const { message, path, extensions } = errors[0] as Told
    assert.equal(message, 'Something went wrong.')
    assert.deepEqual(path, ['x'])
    assert.deepEqual(Object.keys(extensions).sort(), ['code', 'requestId'])
    assert.equal(extensions.code, 'INTERNAL')
    assert.doesNotMatch(JSON.stringify(errors), /secret|stack|\.ts/)
    const line = fixture.log().find(({ requestId }) => requestId === extensions.requestId)
    assert.match(JSON.stringify(line), /secret of the database/)
  }
  assert.deepEqual(
    (await fail('STATEMENT_TIMEOUT')).errors.map(({ extensions }) => extensions),
    [{ code: 'UNAVAILABLE' }],
  )
})
