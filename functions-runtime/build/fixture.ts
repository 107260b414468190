import { gzipSync } from 'node:zlib'
import { Header, type HeaderData } from 'tar'

export type Packed = Omit<HeaderData, 'size'> & { path: string; text?: string | Buffer; size?: number }

/** A tar of these things, also of those that no tool would pack. */
export function tarOf(...things: readonly Packed[]): Buffer {
  return Buffer.concat([...things.map(blockOf), Buffer.alloc(1024)])
}

function blockOf({ text = '', ...given }: Packed): Buffer {
  const body = Buffer.from(text)
  const block = Buffer.alloc(512)
  new Header({ mode: 0o644, type: 'File', size: body.length, mtime: new Date(0), ...given }).encode(block)
  return Buffer.concat([block, body, Buffer.alloc((512 - (body.length % 512)) % 512)])
}

/** A name that does not fit into a header. */
export function pax(attributes: Readonly<Record<string, string>>): Packed {
  const text = Object.entries(attributes).map(([key, value]) => recordOf(key, value))
  return { path: 'PaxHeader/x', type: 'ExtendedHeader', text: text.join('') }
}

function recordOf(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`)
  let length = rest
  while (length !== rest + String(length).length) length = rest + String(length).length
  return `${length} ${key}=${value}\n`
}

export function tgz(files: Readonly<Record<string, string | Buffer>>): Buffer {
  return gzipSync(tarOf(...Object.entries(files).map(([path, text]) => ({ path, text }))))
}

export async function* inPieces(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
