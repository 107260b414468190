import { once } from 'node:events'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Parser, type ReadEntry } from 'tar'
import { BuildFailed } from './failure.ts'

export const archiveLimits = {
  /** Files and folders. */
  entries: 20_000,
  /** Bytes of all of it, unpacked. */
  unpackedBytes: 256 * 1024 * 1024,
  /** So many times as large as it was packed it may get, where it is more than `smallBytes`. */
  ratio: 100,
  smallBytes: 16 * 1024 * 1024,
  nameBytes: 1_024,
  segmentBytes: 255,
}

type Limits = typeof archiveLimits
type Take = (path: string, entry: ReadEntry, bytes: AsyncIterable<Buffer>) => Promise<void>

/** Unpacks a tar.gz into an empty folder. Throws BuildFailed with the name of what is wrong in it; outside of the folder nothing is written. */
export function unpack(archive: AsyncIterable<Uint8Array>, folder: string, limits = archiveLimits): Promise<void> {
  const made = new Set<string>()
  const makeFolder = async (path: string) => {
    if (made.has(path)) return
    await mkdir(join(folder, path), { recursive: true })
    made.add(path)
  }
  return readArchive(archive, limits, async (path, entry, bytes) => {
    if (entry.type === 'Directory') return makeFolder(path)
    await makeFolder(dirname(path))
    const isProgram = ((entry.mode ?? 0) & 0o100) !== 0
    // Never through what is there already: a name that comes twice is refused.
    const file = await open(join(folder, path), 'wx', isProgram ? 0o755 : 0o644)
    try {
      for await (const chunk of bytes) await write(file, chunk)
    } finally {
      await file.close()
    }
  })
}

/** Reads a tar.gz to its end and writes nothing. */
export function checkArchive(archive: AsyncIterable<Uint8Array>, limits = archiveLimits): Promise<void> {
  const seen = new Set<string>()
  return readArchive(archive, limits, async (path, entry, bytes) => {
    if (entry.type !== 'Directory' && seen.has(path)) throw new BuildFailed(twice(path))
    seen.add(path)
    for await (const _chunk of bytes);
  })
}

async function write(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

/** Hands over each file and folder, in turn, once its name has been checked. Memory does not depend on the archive. */
async function readArchive(archive: AsyncIterable<Uint8Array>, limits: Limits, take: Take): Promise<void> {
  const parser = new Parser({ strict: true, brotli: false, zstd: false, maxMetaEntrySize: 64 * 1024 })
  const stop = new AbortController()
  const fail = (error: unknown) => stop.abort(explain(error))
  const aborted = new Promise<never>((_resolve, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason))
  })
  aborted.catch(() => {})
  let taken: Promise<void> = Promise.resolve()
  let entries = 0
  let files = 0
  parser.on('entry', (entry: ReadEntry) => {
    entries += 1
    if (entry.type !== 'Directory') files += 1
    const path = stop.signal.aborted ? null : attempt(() => pathOf(entry, entries, limits), fail)
    taken = taken
      .then(() => (path && !stop.signal.aborted ? take(path, entry, bytesOf(entry, aborted)) : undefined))
      .catch((error) => fail(explain(error, path ?? '')))
      .then(() => void entry.resume())
  })
  parser.on('ignoredEntry', (entry: ReadEntry) => fail(new BuildFailed(ignored(entry))))
  parser.on('error', fail)
  const { signal } = stop
  try {
    for await (const chunk of inflate(archive, limits)) {
      const isTaken = parser.write(chunk)
      if (!isTaken && !signal.aborted) await once(parser, 'drain', { signal })
      signal.throwIfAborted()
    }
    const ended = once(parser, 'end', { signal })
    parser.end()
    await ended
    await taken
    signal.throwIfAborted()
  } catch (error) {
    fail(error)
    await taken
    throw signal.reason
  }
  if (files === 0) throw new BuildFailed('The archive has no files.')
}

/** What is in a file, up to the moment at which nothing more of it comes. */
async function* bytesOf(entry: ReadEntry, aborted: Promise<never>): AsyncGenerator<Buffer> {
  const chunks = entry[Symbol.asyncIterator]()
  for (;;) {
    const { done, value } = await Promise.race([chunks.next(), aborted])
    if (done) return
    yield value
  }
}

function attempt<T>(work: () => T, fail: (error: unknown) => void): T | null {
  try {
    return work()
  } catch (error) {
    fail(error)
    return null
  }
}

/** The bytes of the tar. What gets too large, or is packed as nobody packs, ends here. */
async function* inflate(archive: AsyncIterable<Uint8Array>, limits: Limits): AsyncGenerator<Buffer> {
  const { unpackedBytes, ratio, smallBytes } = limits
  let packed = 0
  let unpacked = 0
  const counted = async function* () {
    for await (const chunk of archive) {
      packed += chunk.length
      yield chunk
    }
  }
  const gunzip = createGunzip({ chunkSize: 64 * 1024 })
  const source = Readable.from(counted())
  source.once('error', (error) => gunzip.destroy(error)).pipe(gunzip)
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      // The tar reader would unpack what is packed once more.
      if (unpacked === 0 && (chunk[0] ?? 0) < 0x20 && chunk[0] !== 0) throw new BuildFailed(noArchive)
      unpacked += chunk.length
      if (unpacked > unpackedBytes)
        throw new BuildFailed(`The archive has more than ${megabytes(unpackedBytes)} when it is unpacked.`)
      if (unpacked > smallBytes && unpacked > packed * ratio)
        throw new BuildFailed(`The archive gets more than ${ratio} times as large when it is unpacked.`)
      yield chunk
    }
  } finally {
    source.destroy()
    gunzip.destroy()
  }
}

const noArchive = 'The archive is no tar.gz.'
const twice = (path: string) => `The archive has “${path}” twice.`
const megabytes = (bytes: number) => `${bytes / 1024 / 1024} MB`

function ignored(entry: ReadEntry): string {
  return entry.meta
    ? 'A name or an attribute in the archive is too long.'
    : `The archive has something of an unknown kind: ${shown(entry.path)}.`
}

const kinds: Partial<Record<ReadEntry['type'], string>> = {
  SymbolicLink: 'a symbolic link',
  Link: 'a hard link',
  CharacterDevice: 'a device',
  BlockDevice: 'a device',
  FIFO: 'a pipe',
}
const allowed = ['File', 'OldFile', 'ContiguousFile', 'Directory']

/** The path within the folder, without `./`; null for the folder itself. Throws BuildFailed for any other. */
function pathOf(entry: ReadEntry, number: number, limits: Limits): string | null {
  const { path, type } = entry
  const refuse = (reason: string) => new BuildFailed(`${shown(path)}: ${reason}`)
  if (number > limits.entries)
    throw new BuildFailed(`The archive has more than ${limits.entries.toLocaleString('en-US')} files and folders.`)
  if (!allowed.includes(type))
    throw refuse(`${kinds[type] ?? `of the kind ${type}`}. An archive has files and folders only.`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) throw refuse('a name may have no control characters.')
  if (path.startsWith('/') || /^[a-z]:/i.test(path)) throw refuse('a path may not be absolute.')
  if (path.includes('\\')) throw refuse('a name may have no backslash.')
  if (Buffer.byteLength(path) > limits.nameBytes) throw refuse('the path is too long.')
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  if (segments.includes('..')) throw refuse('a path may not lead out of the archive.')
  if (segments.some((segment) => Buffer.byteLength(segment) > limits.segmentBytes))
    throw refuse('the name is too long.')
  return segments.length === 0 ? null : segments.join('/')
}

function shown(path: string): string {
  const text = JSON.stringify(path).slice(1, -1)
  return `“${text.length > 120 ? `${text.slice(0, 60)}…${text.slice(-40)}` : text}”`
}

/** What Node and the tar reader say, in words for those who have packed the archive. */
function explain(error: unknown, path = ''): Error {
  if (error instanceof BuildFailed) return error
  const { code = '', message, tarCode, syscall } = error as NodeJS.ErrnoException & { tarCode?: string }
  if (code === 'Z_BUF_ERROR' || /truncated input/i.test(message)) return new BuildFailed('The archive ends early.')
  if (code === 'Z_DATA_ERROR' || tarCode === 'TAR_BAD_ARCHIVE') return new BuildFailed(noArchive)
  if (tarCode !== undefined) return new BuildFailed(`The archive is damaged: ${message.replace(/^\w+: /, '')}.`)
  if (code === 'ENOTDIR' || code === 'EISDIR' || (code === 'EEXIST' && syscall === 'mkdir'))
    return new BuildFailed(`“${path}” is a file and a folder at once.`)
  if (code === 'EEXIST') return new BuildFailed(twice(path))
  if (code === 'ENAMETOOLONG') return new BuildFailed(`${shown(path)}: the path is too long.`)
  if (code === 'ENOSPC' || code === 'EDQUOT') return new BuildFailed(noSpace)
  return error as Error
}

export const noSpace = 'There is not enough space to build it.'
