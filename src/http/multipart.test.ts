import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boundaryOf, readParts } from './multipart.ts'

const part = (head: string, text: string) => `--xx\r\n${head}\r\n\r\n${text}\r\n`
const field = (name: string, text: string) => part(`Content-Disposition: form-data; name="${name}"`, text)

async function* pieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function read(text: string, size: number): Promise<string[]> {
  const found: string[] = []
  for await (const { name, file, bytes } of readParts(pieces(text, size), 'xx')) {
    const chunks: Buffer[] = []
    for await (const chunk of bytes) chunks.push(chunk)
    found.push(`${name} ${file} ${Buffer.concat(chunks)}`)
  }
  return found
}

test('the same parts come out, however the body is cut', async () => {
  const tricky = 'a\r\n--x\r\n\r\n--xy\r\n-\r'
  const body = `${field('a', '')}${field('b', tricky)}${part('content-disposition: form-data; name="c"; filename="d.gz"\r\nContent-Type: x/y', 'ü\0'.repeat(9))}--xx--\r\n`
  const expected = ['a null ', `b null ${tricky}`, `c d.gz ${'ü\0'.repeat(9)}`]
  for (let size = 1; size < 80; size += 1) assert.deepEqual(await read(body, size), expected, `pieces of ${size}`)
  assert.deepEqual(await read(body, body.length), expected)
})

test('what is left of a part is skipped', async () => {
  const names: string[] = []
  for await (const { name } of readParts(pieces(`${field('a', 'x'.repeat(500))}${field('b', 'y')}--xx--`, 64), 'xx'))
    names.push(name)
  assert.deepEqual(names, ['a', 'b'])
})

test('what is broken is told', async () => {
  const wrong: [string, RegExp][] = [
    ['', /ends early/],
    ['nothing of the kind, at some length', /ends early|does not begin/],
    [`x\r\n${field('a', 'b')}--xx--`, /does not begin with its boundary/],
    [field('a', 'b'), /ends early/],
    [field('a', 'b').slice(0, -20), /ends early/],
    [`--xxx\r\n\r\n--xx--`, /a boundary is followed by something else/],
    [`${part('content-type: text/plain', 'a')}--xx--`, /a part has no name/],
    [`${part('no header', 'a')}--xx--`, /a header of a part has no name/],
  ]
  for (const [body, message] of wrong)
    await assert.rejects(read(body, 7), (error: Error & { code: string }) => {
      assert.equal(error.code, 'INVALID', body)
      assert.match(error.message, message, body)
      return true
    })
  await assert.rejects(read(part(`x: ${'y'.repeat(9_000)}`, 'a'), 1_000), { code: 'LIMIT_EXCEEDED' })
})

test('a boundary', () => {
  const found = [
    'multipart/form-data; boundary=abc',
    'Multipart/Form-Data;charset=utf-8; boundary="a b"',
    'multipart/form-data; boundary=----WebKit7MA4YWxk; x=y',
  ].map(boundaryOf)
  assert.deepEqual(found, ['abc', 'a b', '----WebKit7MA4YWxk'])
  for (const type of [
    'multipart/form-data',
    'multipart/form-data; boundary=',
    `multipart/form-data; boundary=${'a'.repeat(71)}`,
  ])
    assert.equal(boundaryOf(type), null)
})
