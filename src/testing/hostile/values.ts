/** Texts that break what is built carelessly. Any of them may be a name or an id that somebody sends. */
export const texts: readonly string[] = [
  '',
  ' \t\r\n',
  '__proto__',
  'constructor',
  'toString',
  'a\0b',
  'a\r\nX-Injected: 1',
  '../../etc/passwd',
  '\u202Eabc\u2066',
  '\u200B',
  '\uFEFFa',
  '\uD800',
  "'",
  '"; drop table users; --',
  '`$1%s{{x}}\\',
  'SELECT',
  'Query',
  'PageInfo',
  '*',
  Buffer.from('GPC:S:__proto__').toString('base64'),
  '🌱'.repeat(3),
  'e\u0301'.repeat(40),
  'ß'.repeat(65),
  'x'.repeat(129),
  'x'.repeat(900_000),
]

/** Stands for what JSON spells and JavaScript cannot write as JSON. */
const spelled = { '@1e999': '1e999', '@-0': '-0', '@twice': '{"a":1,"a":{"b":2}}', '@proto': '{"__proto__":{"a":1}}' }

const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: [deep(levels - 1)] })

/** Values of other kinds than what is asked for, and at the edges of what numbers and times can be. */
export const values: readonly unknown[] = [
  null,
  true,
  0,
  1.5,
  2 ** 31,
  -(2 ** 53),
  1e308,
  '@1e999',
  '@-0',
  '9223372036854775808',
  '-9223372036854775809',
  `${'9'.repeat(101)}`,
  '1e400',
  'NaN',
  'Infinity',
  '0000-01-01T00:00:00.000Z',
  '-000001-12-31T00:00:00.000Z',
  '+275760-09-13T00:00:00.000Z',
  '+275760-09-13T00:00:00.001Z',
  '9999-12-31T23:59:59.999Z',
  '2026-02-30',
  '2026-02-30T25:61:00Z',
  '\uD800',
  {},
  { eq: 1 },
  { constructor: 1, toString: null },
  [],
  [[]],
  [null],
  [{ eq: 'x' }],
  ['a', 1, {}],
  '@twice',
  '@proto',
  deep(200),
]

/** The JSON text of an operation's body, as a client that is not JavaScript may write it. */
export function bodyOf(operation: object): Buffer {
  const text = JSON.stringify(operation)
  const pairs = Object.entries(spelled)
  return Buffer.from(pairs.reduce((json, [mark, raw]) => json.replaceAll(`"${mark}"`, raw), text))
}
