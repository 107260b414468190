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
  const url = urlOf(target, `deployments/${id}/source`)
  const headers = headersOf(target)
  let offset = 0
  for (let failed = 0; offset < archive.length; ) {
    const end = Math.min(offset + pieceBytes, archive.length)
    const range = { 'content-range': `bytes ${offset}-${end - 1}/${archive.length}` }
    const body = new Uint8Array(archive.subarray(offset, end))
    const answer = await fetch(url, { method: 'PUT', headers: { ...headers, ...range }, body }).catch(() => null)
    if (answer?.ok) {
      offset = end
      failed = 0
      onProgress(offset)
      continue
    }
    const passes = answer === null || answer.status >= 500 || answer.status === 409 || answer.status === 429
    failed += 1
    if (!passes || failed === tries) throw await refusalOf(target, answer)
    await sleep(100 * 2 ** failed)
    const there = await offsetOf(url, headers)
    if (there !== null && there > offset) failed = 0
    offset = there ?? offset
  }
}

async function offsetOf(url: string, headers: Record<string, string>): Promise<number | null> {
  const answer = await fetch(url, { method: 'HEAD', headers }).catch(() => null)
  const offset = answer?.headers.get('upload-offset')
  return offset == null ? null : Number(offset)
}

async function refusalOf(target: Api['target'], answer: Response | null): Promise<Failure> {
  if (!answer) return new Failure('The connection broke again and again during the upload.')
  const told = (await answer.json().catch(() => ({}))) as { errors?: { message: string }[] }
  return told.errors?.[0]
    ? explain(target, told.errors[0])
    : new Failure(`The upload was refused: HTTP ${answer.status}.`)
}
