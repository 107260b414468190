/** `CompressionStream` and `DecompressionStream` for one run, a piece at a time: what nobody has asked for yet is not unpacked. */
import type { Transform } from 'node:stream'
import { limits } from '../messages.ts'
import { nodeZlib } from './later.ts'

type Opened = { stream: number; format: string; isUnpacking: boolean }
type Asked = { stream: number; isLast: boolean }

/** `isMore`: there may be more of the outcome, to be asked for before anything else is given. */
type Given = { head: { isMore: boolean }; bytes: string }

export type Zips = {
  open: (opened: Opened) => void
  work: (asked: Asked, bytes: Buffer) => Promise<Given>
  leave: (stream: number) => void
  close: () => void
}

type Zip = { through: Transform; what: string; isBusy: boolean; failure: Error | null; wake: () => void }

export function createZips(): Zips {
  const zips = new Map<number, Zip>()

  function leave(stream: number): void {
    const zip = zips.get(stream)
    zips.delete(stream)
    zip?.through.destroy()
  }

  return {
    open(opened) {
      if (zips.size >= limits.zips) throw new RangeError(`A run may have ${limits.zips} streams that pack or unpack.`)
      if (!zips.has(opened.stream)) zips.set(opened.stream, createZip(opened))
    },
    async work({ stream, isLast }, bytes) {
      const zip = zips.get(stream)
      if (!zip) throw new TypeError('The stream is closed.')
      give(zip, bytes, isLast)
      const piece = await take(zip).catch((error: Error) => {
        leave(stream)
        throw new TypeError(`${zip.what}: ${error.message}.`)
      })
      if (isLast && !piece) leave(stream)
      return { head: { isMore: piece !== null }, bytes: piece?.toString('base64') ?? '' }
    },
    leave,
    close() {
      for (const stream of [...zips.keys()]) leave(stream)
    },
  }
}

function createZip({ format, isUnpacking }: Opened): Zip {
  const { createDeflate, createDeflateRaw, createGunzip, createGzip, createInflate, createInflateRaw } = nodeZlib()
  const ways = {
    gzip: [createGzip, createGunzip],
    deflate: [createDeflate, createInflate],
    'deflate-raw': [createDeflateRaw, createInflateRaw],
  } as const
  const create = ways[format as keyof typeof ways][isUnpacking ? 1 : 0]
  const through = create({ chunkSize: limits.zipBytes, rejectGarbageAfterEnd: true })
  const what = isUnpacking ? `What was given is no ${format}` : 'It cannot be packed'
  const zip: Zip = { through, what, isBusy: false, failure: null, wake: () => {} }
  const over = (error?: Error) => {
    zip.isBusy = false
    zip.failure ??= error ?? null
    zip.wake()
  }
  through.on('readable', () => zip.wake())
  through.on('end', () => over())
  through.on('error', over)
  through.on('close', () => over())
  return zip
}

function give(zip: Zip, bytes: Buffer, isLast: boolean): void {
  const { through } = zip
  if (through.writableEnded || (bytes.length === 0 && !isLast)) return
  if (zip.isBusy || bytes.length > limits.zipBytes) throw new RangeError('That is too much at once.')
  zip.isBusy = true
  if (isLast) through.end(bytes)
  else
    through.write(bytes, () => {
      zip.isBusy = false
      zip.wake()
    })
}

/** The next piece of the outcome; null where there is none before more is given. */
async function take(zip: Zip): Promise<Buffer | null> {
  for (;;) {
    const piece: Buffer | null = zip.through.read()
    if (piece) return piece
    if (zip.failure) throw zip.failure
    if (!zip.isBusy) return null
    await new Promise<void>((wake) => {
      zip.wake = wake
    })
  }
}
