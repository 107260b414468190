import { createHash } from 'node:crypto'
import type { Services } from '../../context.ts'
import { deploymentLimits } from './limits.ts'

type Sql = Pick<Services, 'sql'>
export type PartKind = 'SOURCE' | 'ARTEFACT'

const part = `
  select bytes from deployment_parts where "deploymentId" = $1 and kind = $2::"DeploymentPartKind" and number = $3`

/** The bytes of an archive or artefact, piece by piece: no more than one of them is in memory. */
export async function* readParts({ sql }: Sql, deploymentId: string, kind: PartKind): AsyncGenerator<Buffer> {
  for (let number = 0; ; number += 1) {
    const values = [deploymentId, kind, number]
    const { rows } = await sql.query<{ bytes: Buffer }>({ name: 'deployment part', text: part, values })
    if (!rows[0]) return
    const { bytes } = rows[0]
    yield bytes
    // It was written at once, so all its parts but the last are full. A source has them as they were uploaded.
    if (kind === 'ARTEFACT' && bytes.length < deploymentLimits.partBytes) return
  }
}

/** All of it, or null where there is nothing. */
export async function readWhole(services: Sql, deploymentId: string, kind: PartKind): Promise<Buffer | null> {
  const parts: Buffer[] = []
  for await (const part of readParts(services, deploymentId, kind)) parts.push(part)
  return parts.length === 0 ? null : Buffer.concat(parts)
}

export async function hashOf(parts: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/** The same bytes in pieces that fit into a row. */
export async function* inParts(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let waiting: Uint8Array[] = []
  let size = 0
  for await (let chunk of chunks) {
    while (size + chunk.length >= deploymentLimits.partBytes) {
      const room = deploymentLimits.partBytes - size
      yield Buffer.concat([...waiting, chunk.subarray(0, room)])
      chunk = chunk.subarray(room)
      waiting = []
      size = 0
    }
    // What comes from a socket may be a view of something larger.
    if (chunk.length > 0) waiting.push(Buffer.from(chunk))
    size += chunk.length
  }
  if (size > 0) yield Buffer.concat(waiting)
}
