import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from '../api.ts'
import { explain, headersOf, urlOf } from '../api.ts'
import { Failure } from '../failure.ts'

const pieceBytes = 4 * 1024 * 1024
/** How often in a row it is tried again without that anything more has come through. */
const tries = 6

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** Uploads an archive in pieces; where the connection breaks it goes on with what the server does not have. */
export async function upload(
  { target }: Api,
  id: string,
  archive: Buffer,
  onProgress: (sent: number) => void,
): Promise<void> {
  let offset = 0
  let failed = 0
  // Whoever has not heard an answer asks, with nothing, how far it is: where all is there, that ends it.
  let asks = false
  for (;;) {
    const piece = asks ? null : archive.subarray(offset, offset + pieceBytes)
    const answer = await put(target, id, piece, offset, archive.length)
    if (answer?.ok) {
      const state = (await answer.json()) as { status: string; offset: number }
      if (state.status !== 'UPLOADING') return
      if (state.offset > offset) failed = 0
      offset = state.offset
      asks = offset === archive.length
      onProgress(offset)
      continue
    }
    const passes = answer === null || answer.status >= 500 || answer.status === 409 || answer.status === 429
    failed += 1
    if (!passes || failed === tries) throw await refusalOf(target, answer)
    await sleep(100 * 2 ** failed)
    asks = true
  }
}

function put(
  target: Api['target'],
  id: string,
  piece: Buffer | null,
  offset: number,
  length: number,
): Promise<Response | null> {
  const range = piece === null ? '*' : `${offset}-${offset + piece.length - 1}`
  const headers = { ...headersOf(target), 'content-range': `bytes ${range}/${length}` }
  const body = piece && new Uint8Array(piece)
  return fetch(urlOf(target, `deployments/${id}/source`), { method: 'PUT', headers, body }).catch(() => null)
}

async function refusalOf(target: Api['target'], answer: Response | null): Promise<Failure> {
  if (!answer) return new Failure('The connection broke again and again during the upload.')
  const told = (await answer.json().catch(() => ({}))) as { errors?: { message: string }[] }
  return told.errors?.[0]
    ? explain(target, told.errors[0])
    : new Failure(`The upload was refused: HTTP ${answer.status}.`)
}
