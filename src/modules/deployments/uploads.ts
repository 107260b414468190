import type { Deployment } from '../../../prisma/client/client.ts'
import { type Context, transaction } from '../../context.ts'
import { Conflict, Invalid, LimitExceeded, NotFound, Unauthenticated } from '../../errors.ts'
import { emit } from '../../event.ts'
import { changeableFunction } from '../functions/functions.ts'
import { deploymentUpdated } from './events.ts'
import { deploymentLimits } from './limits.ts'
import { hashOf, inParts, readParts } from './parts.ts'

const elsewhere = 'The upload has gone on elsewhere, or has ended.'

/**
 * Keeps the bytes of an archive behind those that are there, as they come, and answers how many there are. Whatever ends
 * it early, what has come until then is kept. Throws Conflict where somebody else uploads the same.
 */
export async function appendSource(
  ctx: Context,
  id: string,
  chunks: AsyncIterable<Uint8Array>,
  { offset, most }: { offset: number; most: number },
): Promise<number> {
  let at = offset
  for await (const part of inParts(chunks)) {
    if (at + part.length > most) throw new LimitExceeded(tooMany(most))
    if (at === 0 && (part[0] !== 0x1f || part[1] !== 0x8b)) throw new Invalid('The archive is no tar.gz.', ['input'])
    await appendPart(ctx, id, part, at)
    at += part.length
  }
  return at
}

function tooMany(most: number): string {
  return most === deploymentLimits.sourceBytes
    ? `An archive has at most ${most.toLocaleString('en-US')} bytes.`
    : `This upload was to have ${most.toLocaleString('en-US')} bytes, no more.`
}

/** In one statement: a part is there if it is counted, and is never there twice. */
async function appendPart({ sql }: Context, id: string, bytes: Buffer, offset: number): Promise<void> {
  const { rowCount } = await sql.query(
    `with grown as (
       update deployments set "sourceBytes" = "sourceBytes" + $3, "updatedAt" = now()
       where id = $1 and status = 'UPLOADING' and "sourceBytes" = $2 returning id)
     insert into deployment_parts ("deploymentId", kind, number, bytes)
     select id, 'SOURCE', (select coalesce(max(number) + 1, 0) from deployment_parts where "deploymentId" = $1 and kind = 'SOURCE'), $4
     from grown`,
    [id, offset, bytes.length, bytes],
  )
  if (rowCount === 0) throw new Conflict(elsewhere)
}

/** Once all of it is there it is built. Throws Invalid, and forgets what has come, where that is not what was announced. */
export async function completeUpload(ctx: Context, id: string, event = deploymentUpdated): Promise<Deployment> {
  const row = await ctx.db.deployment.findUnique({ where: { id } })
  if (!row) throw new NotFound('There is no such upload.')
  if (row.status !== 'UPLOADING') throw new Conflict(elsewhere)
  const sourceHash = await hashOf(readParts(ctx, id, 'SOURCE'))
  if (row.sourceHash !== null && row.sourceHash !== sourceHash) {
    await ctx.sql.query(`delete from deployment_parts where "deploymentId" = $1 and kind = 'SOURCE'`, [id])
    await ctx.db.deployment.updateMany({ where: { id, status: 'UPLOADING' }, data: { sourceBytes: 0 } })
    throw new Invalid('What was uploaded is not what was announced: its SHA-256 is another. Begin anew.', ['sha256'])
  }
  // An upload takes as long as its other end likes: whoever began it may be nobody by now, or the function more than they are.
  const now = await ctx.reauthenticate()
  if (!now) throw new Unauthenticated('This credential is no longer valid.')
  return transaction(ctx, async (tx) => {
    await changeableFunction(now, tx, row.functionId)
    const { count } = await tx.db.deployment.updateMany({
      where: { id, status: 'UPLOADING', sourceBytes: row.sourceBytes },
      data: { status: 'PENDING', sourceHash },
    })
    if (count === 0) throw new Conflict(elsewhere)
    const status = 'PENDING' as const
    await emit(tx, event, { functionId: row.functionId, deploymentId: id, status })
    return { ...row, status, sourceHash }
  })
}
