import assert from 'node:assert/strict'
import { test } from 'node:test'
import { program } from '../testing/executor.ts'
import { caller } from '../testing/stage.ts'

async function said(body: string): Promise<string[]> {
  const { end } = await caller.run(program(`async ({ res }) => { ${body}; return res.empty() }`))
  assert.equal(end.failure, null)
  return end.logs.map(({ text }) => text)
}

test('texts have places for values, as in Node', async () => {
  assert.deepEqual(await said(`console.log('%s is %d, %i, %f and %j%%', 'a', '4.5', 4.9, '1.25', { b: 1 }, 'more')`), [
    'a is 4.5, 4, 1.25 and {"b":1}% more',
  ])
  assert.deepEqual(await said(`console.log('100%', 1); console.log('%s'); console.log('%c red', 'color: red')`), [
    '100% 1',
    '%s',
    ' red',
  ])
})

test('groups are indented, times, counts and assertions are told', async () => {
  const lines =
    await said(`console.group('a'); console.log('b\\nc'); console.groupCollapsed(); console.log('d'); console.groupEnd(); console.groupEnd()
    console.count(); console.count('x'); console.count(); console.countReset(); console.count()
    console.time('t'); console.timeLog('t', 1); console.timeEnd('t'); console.timeEnd('t')
    console.assert(true, 'no'); console.assert(false, 'because %s', 'so'); console.assert(false)`)
  assert.deepEqual(lines.slice(0, 7), ['a', '  b\n  c', '    d', 'default: 1', 'x: 1', 'default: 2', 'default: 1'])
  assert.match(lines.slice(7, 10).join('|'), /^t: \d+ms 1\|t: \d+ms\|No such label 't' for console.time\(\)$/)
  assert.deepEqual(lines.slice(10), ['Assertion failed: because so', 'Assertion failed'])
})

test('tables are drawn, and what is no table is told as it is', async () => {
  const [rows, list, none] = await said(
    `console.table([{ a: 1, b: 'x' }, { a: 20 }]); console.table(['p', { q: 1 }]); console.table(5)`,
  )
  assert.equal(
    rows,
    [
      '┌─────────┬────┬─────┐',
      '│ (index) │ a  │ b   │',
      '├─────────┼────┼─────┤',
      '│ 0       │ 1  │ "x" │',
      '│ 1       │ 20 │     │',
      '└─────────┴────┴─────┘',
    ].join('\n'),
  )
  assert.match(list ?? '', /\(index\) │ q │ Values/)
  assert.equal(none, '5')
})

test('what is large is told in part, and costs no more than its part', async () => {
  const [table] = await said(
    `console.table(Array.from({ length: 1_000 }, (_, at) => ({ a: at === 0 ? 'x'.repeat(1e6) : 1 })))`,
  )
  assert.match(table ?? '', /^┌─────────┬─{202}┐\n/)
  const [map, cost] = await said(
    `const map = new Map(Array.from({ length: 1e5 }, (_, i) => [{ i, list: [1, 2, 3] }, i])); const begun = Date.now()
    console.log(map); console.log(Date.now() - begun)`,
  )
  assert.match(map ?? '', /^Map\(100000\) \{ \{ i: 0, list: \[1, 2, 3\] \}: 0, .*, … 99900 more \}$/)
  assert.ok(Number(cost) < 300, `${cost} ms`)
})

test('what stands beside an error is told, too', async () => {
  const failing = 'new Promise((_, no) => no(new Error("e"))).catch((e) => e)'
  const [line, all] = await said(`const e = await ${failing}; console.log({ e, b: 1 }); console.log([e, e], 'end')`)
  assert.match(line ?? '', /^\{ e: Error: e\n[\s\S]*\n, b: 1 \}$/)
  assert.match(all ?? '', /^\[Error: e\n[\s\S]*\n, Error: e\n[\s\S]*\n\] end$/)
})

test('an error is told also where what it holds cannot be looked at', async () => {
  const { end } = await caller.run(
    program('() => { throw Object.assign(new RangeError("real"), { held: { get a() { throw 1 } } }) }'),
  )
  assert.equal(end.failure?.message, 'RangeError: real')
  assert.match(end.failure?.stack ?? '', /^RangeError: real\n +at .*function\.js:3:\d+/)
})

test('a trace tells where it is', async () => {
  assert.match((await said(`console.trace('here', 1)`)).join(), /^Trace: here 1\n +at .*function\.js:3:\d+/)
})

test('what is of the web and what holds bytes is told with what it holds', async () => {
  const [line] = await said(
    `console.log(new URL('https://a.b/c'), new Headers({ x: '1' }), new URLSearchParams('p=q'), Uint8Array.of(1, 2), new ArrayBuffer(3), new Date(0), new Map([['k', -0]]))`,
  )
  assert.equal(
    line,
    'https://a.b/c Headers { x: "1" } URLSearchParams { p: "q" } Uint8Array(2) [1, 2] ArrayBuffer(3) 1970-01-01T00:00:00.000Z Map(1) { "k": -0 }',
  )
})
