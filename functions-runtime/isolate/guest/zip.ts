import { bytesOf, fromBase64, toBase64 } from './bytes.ts'
import { scope } from './scope.ts'
import { roomOf, TransformStream } from './transforms.ts'

/** So much of what is written goes to the host at once. */
const pieceBytes = 64 * 1024

let last = 0

/** The work is done by the host, a piece at a time: no more of the outcome is here than somebody reads. */
class ZipStream extends TransformStream<unknown, Uint8Array> {
  constructor(isUnpacking: boolean, given: unknown) {
    const format = String(given)
    if (!['gzip', 'deflate', 'deflate-raw'].includes(format))
      throw new TypeError(`The format is gzip, deflate or deflate-raw, and not “${format}”.`)
    last += 1
    const stream = last
    scope().call('openZip', { stream, format, isUnpacking })
    const leave = () => void scope().call('leaveZip', { stream })
    const work = async (bytes: Uint8Array, isLast: boolean, enqueue: (chunk: Uint8Array) => void) => {
      for (let given = toBase64(bytes), isMore = true; isMore; given = '') {
        const { head, bytes } = await scope().ask('zip', { stream, isLast }, given).answer
        isMore = (head as { isMore: boolean }).isMore
        if (bytes) enqueue(fromBase64(bytes))
        if (isMore) await roomOf(this)
      }
    }
    super({
      async transform(chunk, out) {
        const bytes = bytesOf(chunk)
        if (!bytes) {
          leave()
          throw new TypeError('A chunk must be bytes.')
        }
        for (let at = 0; at < bytes.length; at += pieceBytes) {
          await work(bytes.subarray(at, at + pieceBytes), false, out.enqueue)
        }
      },
      flush: (out) => work(new Uint8Array(0), true, out.enqueue),
      cancel: leave,
    })
  }
}

// The web's own classes.
export class CompressionStream extends ZipStream {
  constructor(format: unknown) {
    super(false, format)
  }
  override get [Symbol.toStringTag]() {
    return 'CompressionStream'
  }
}
export class DecompressionStream extends ZipStream {
  constructor(format: unknown) {
    super(true, format)
  }
  override get [Symbol.toStringTag]() {
    return 'DecompressionStream'
  }
}
