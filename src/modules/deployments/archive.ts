import { gzipSync } from 'node:zlib'

const blockBytes = 512

/** A tar.gz with one file in it, for functions that are given as text. */
export function packFile(path: string, text: string): Buffer {
  const body = Buffer.from(text)
  const rest = (blockBytes - (body.length % blockBytes)) % blockBytes
  return gzipSync(Buffer.concat([headerOf(path, body.length), body, Buffer.alloc(rest + 2 * blockBytes)]))
}

/** A header of POSIX's ustar. */
function headerOf(path: string, size: number): Buffer {
  const block = Buffer.alloc(blockBytes)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  const { prefix, name } = splitPath(path)
  block.write(name, 0, 100)
  block.write(octal(0o644, 7), 100)
  block.write(octal(0, 7), 108)
  block.write(octal(0, 7), 116)
  block.write(octal(size, 11), 124)
  block.write(octal(0, 11), 136)
  block.write(' '.repeat(8), 148)
  block.write('0', 156)
  block.write('ustar\x0000', 257)
  block.write(prefix, 345, 155)
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
  )
  return block
}

/** A long path is in two places: up to 155 bytes, a slash, and up to 100. */
function splitPath(path: string): { prefix: string; name: string } {
  if (path.length <= 100) return { prefix: '', name: path }
  const at = path.indexOf('/', path.length - 101)
  return { prefix: path.slice(0, at), name: path.slice(at + 1) }
}
