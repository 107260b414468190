import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, test } from 'node:test'
import { createGzip, gzipSync } from 'node:zlib'
import { archiveLimits, checkArchive, unpack } from './archive.ts'
import { inPieces, type Packed, pax, tarOf, tgz } from './fixture.ts'

let outside: string
let folder: string
beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'tendril-archive-'))
  folder = mkdtempSync(join(outside, 'in-'))
})
afterEach(() => rmSync(outside, { recursive: true, force: true }))

/** Refused both ways, and nothing but the folder is there afterwards. */
async function refused(archive: Buffer, message: RegExp | string): Promise<void> {
  const expected = { name: 'BuildFailed', message }
  await assert.rejects(unpack(inPieces(archive), folder), expected)
  await assert.rejects(checkArchive(inPieces(archive, 1_000)), expected)
  assert.equal(readdirSync(outside).length, 1)
}

test('files and folders come out as they went in', async () => {
  const long = `${'deep/'.repeat(40)}file.js`
  const archive = gzipSync(
    tarOf(
      { path: './', type: 'Directory' },
      { path: 'lib/', type: 'Directory' },
      { path: './lib/a.js', text: 'a' },
      { path: 'run.sh', text: 'b', mode: 0o4755 },
      { path: 'empty', text: '' },
      pax({ path: long }),
      { path: 'cut', text: 'c'.repeat(100_000) },
      { path: 'größe …', text: 'd' },
    ),
  )
  await unpack(inPieces(archive, 7), folder)
  assert.equal(readFileSync(join(folder, 'lib/a.js'), 'utf8'), 'a')
  assert.equal(readFileSync(join(folder, long), 'utf8').length, 100_000)
  assert.equal(readFileSync(join(folder, 'größe …'), 'utf8'), 'd')
  assert.equal(statSync(join(folder, 'run.sh')).mode & 0o7777, 0o755)
  assert.equal(statSync(join(folder, 'empty')).size, 0)
  await checkArchive(inPieces(archive))
})

const hostile: readonly [name: string, things: readonly Packed[], message: RegExp][] = [
  [
    'a symbolic link',
    [{ path: 'a', type: 'SymbolicLink', linkpath: '/etc' }],
    /^“a”: a symbolic link\. An archive has/,
  ],
  [
    'a file through a link',
    [
      { path: 'a', type: 'SymbolicLink', linkpath: '..' },
      { path: 'a/b', text: 'x' },
    ],
    /^“a”: a symbolic link/,
  ],
  ['a hard link', [{ path: 'a', type: 'Link', linkpath: '/etc/passwd' }], /^“a”: a hard link/],
  ['a device', [{ path: 'a', type: 'CharacterDevice' }], /^“a”: a device/],
  ['a disk', [{ path: 'a', type: 'BlockDevice' }], /^“a”: a device/],
  ['a pipe', [{ path: 'a', type: 'FIFO' }], /^“a”: a pipe/],
  ['the way up', [{ path: '../a', text: 'x' }], /^“\.\.\/a”: a path may not lead out/],
  ['the way up from below', [{ path: 'a/../../b', text: 'x' }], /may not lead out/],
  ['a folder above', [{ path: 'a/..', type: 'Directory' }], /may not lead out/],
  ['the way up in an attribute', [pax({ path: 'x/../../a' }), { path: 'a', text: 'x' }], /may not lead out/],
  ['an absolute path', [{ path: '/etc/cron.d/a', text: 'x' }], /^“\/etc\/cron.d\/a”: a path may not be absolute/],
  ['a drive', [{ path: 'C:/a', text: 'x' }], /may not be absolute/],
  ['a drive without a slash', [{ path: 'c:a', text: 'x' }], /may not be absolute/],
  ['backslashes', [{ path: '..\\..\\a', text: 'x' }], /no backslash/],
  ['a bell', [{ path: 'a\u0007b', text: 'x' }], /no control characters/],
  ['a long name', [pax({ path: 'a'.repeat(256) }), { path: 'a', text: 'x' }], /the name is too long/],
  ['a long path', [pax({ path: 'a/'.repeat(600) }), { path: 'a', text: 'x' }], /the path is too long/],
  ['a name as long as a book', [pax({ path: 'a'.repeat(70_000) }), { path: 'a', text: 'x' }], /is too long\.$/],
  [
    'a name twice',
    [
      { path: 'a', text: 'x' },
      { path: './a', text: 'y' },
    ],
    /“a” twice/,
  ],
  ['only a folder', [{ path: './', type: 'Directory' }], /has no files/],
]

for (const [name, things, message] of hostile) {
  test(`refused: ${name}`, () => refused(gzipSync(tarOf(...things)), message))
}

test('a name that is a file and a folder', async () => {
  const archive = gzipSync(tarOf({ path: 'a', text: 'x' }, { path: 'a/b', text: 'y' }))
  await assert.rejects(unpack(inPieces(archive), folder), { name: 'BuildFailed', message: /file and a folder at once/ })
})

test('refused: too many entries', async () => {
  const limits = { ...archiveLimits, entries: 100 }
  const folders = Array.from({ length: 101 }, (_, i): Packed => ({ path: `${i}/`, type: 'Directory' }))
  const archive = gzipSync(tarOf({ path: 'a', text: '' }, ...folders))
  const message = 'The archive has more than 100 files and folders.'
  await assert.rejects(checkArchive(inPieces(archive), limits), { message })
  await assert.rejects(unpack(inPieces(archive), folder, limits), { message })
})

test('a name ends where NUL is', async () => {
  await unpack(inPieces(gzipSync(tarOf(pax({ path: 'a\0/../../b' }), { path: 'x', text: 'x' }))), folder)
  assert.deepEqual(readdirSync(folder), ['a'])
  assert.equal(readdirSync(outside).length, 1)
})

/** Zeros, without holding them. */
async function bomb(bytes: number, things: Packed): Promise<Buffer> {
  const gzip = createGzip({ level: 9 })
  const chunks: Buffer[] = []
  gzip.on('data', (chunk) => chunks.push(chunk))
  const header = tarOf({ ...things, size: bytes }).subarray(0, 512)
  gzip.write(header)
  const zeros = Buffer.alloc(1024 * 1024)
  for (let sent = 0; sent < bytes; sent += zeros.length)
    if (!gzip.write(zeros)) await new Promise((resolve) => gzip.once('drain', resolve))
  gzip.end(Buffer.alloc(1024))
  await new Promise((resolve) => gzip.once('end', resolve))
  return Buffer.concat(chunks)
}

test('refused: a bomb, in little memory', async () => {
  const archive = await bomb(200 * 1024 * 1024, { path: 'zeros' })
  assert.ok(archive.length < 400_000)
  const before = process.memoryUsage.rss()
  await refused(archive, 'The archive gets more than 100 times as large when it is unpacked.')
  assert.ok(process.memoryUsage.rss() - before < 60 * 1024 * 1024)
})

test('refused: more than there is to be', async () => {
  const gzip = createGzip({ level: 0 })
  const limits = { ...archiveLimits, unpackedBytes: 8 * 1024 * 1024 }
  const size = limits.unpackedBytes + 1024
  const some = Buffer.alloc(1024 * 1024, 'x')
  const source = (async function* () {
    yield tarOf({ path: 'much', size }).subarray(0, 512)
    for (let sent = 0; sent < size; sent += some.length) yield some
  })()
  await assert.rejects(checkArchive(Readable.from(source).pipe(gzip), limits), {
    message: 'The archive has more than 8 MB when it is unpacked.',
  })
})

test('refused: what is no archive', async () => {
  const good = tgz({ 'a.js': 'x'.repeat(5_000), 'b.js': String(Math.random()).repeat(5_000) })
  const noArchive = 'The archive is no tar.gz.'
  await refused(Buffer.from('PK\x03\x04 a zip'), noArchive)
  await refused(tarOf({ path: 'a', text: 'not packed' }), noArchive)
  await refused(gzipSync('a text'), noArchive)
  await refused(gzipSync(good), noArchive)
  await refused(gzipSync(Buffer.alloc(10_000, 'x')), /The archive is (no tar|damaged)/)
  await refused(good.subarray(0, good.length - 12), 'The archive ends early.')
  await refused(gzipSync(tarOf({ path: 'a', text: 'x', size: 5_000 }).subarray(0, 1024)), 'The archive ends early.')
  await refused(Buffer.alloc(0), /ends early|no tar/)
  const flipped = Buffer.from(good)
  flipped.fill(0xff, 40, 60)
  await refused(flipped, /^The archive (is no tar\.gz|is damaged.*|ends early)\.$/)
})
