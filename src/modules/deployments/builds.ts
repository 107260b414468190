import { createHash } from 'node:crypto'
import type { Deployment } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import { emit, emitAll } from '../../event.ts'
import { activate } from './deployments.ts'
import { deploymentDeleted, deploymentUpdated } from './events.ts'
import { deploymentLimits } from './limits.ts'

/** A build of which nothing was heard for so long is nobody's any more. */
const silentMs = 60_000

/** Marks a deployment as being built. Null where there is nothing to build any more; `busy` while another of its function is. */
export function beginBuild(ctx: Context, id: string): Promise<Deployment | 'busy' | null> {
  return transaction(ctx, async (tx) => {
    const row = await lockFor(tx, id)
    if (!row || !isUnbuilt(row)) return null
    const [other] = await tx.query(
      `select 1 as other from deployments where "functionId" = $1 and id <> $2 and status = 'BUILDING'
         and "updatedAt" > now() - $3 * interval '1 ms' limit 1`,
      [row.functionId, id, silentMs],
    )
    if (other) return 'busy'
    const built = await tx.db.deployment.update({ where: { id }, data: { status: 'BUILDING', buildLog: '' } })
    if (row.status === 'PENDING') await tell(tx, row, 'BUILDING')
    return built
  })
}

/** Lets it be built again: by another, or later. */
export async function postponeBuild({ db }: Context, id: string): Promise<void> {
  await db.deployment.updateMany({ where: { id, status: 'BUILDING' }, data: { status: 'PENDING' } })
}

/** What a build has come to. It is run from now on, unless a newer one is, or it was not to be. */
export function finishBuild(ctx: Context, id: string, artefact: Buffer, buildMs: number): Promise<void> {
  return transaction(ctx, async (tx) => {
    const row = await lockFor(tx, id)
    if (!row || !isUnbuilt(row)) return
    await tx.db.deploymentPart.deleteMany({ where: { deploymentId: id, kind: 'ARTEFACT' } })
    const { partBytes } = deploymentLimits
    for (let number = 0; number * partBytes < artefact.length; number += 1) {
      const bytes = new Uint8Array(artefact.subarray(number * partBytes, (number + 1) * partBytes))
      await tx.db.deploymentPart.create({ data: { deploymentId: id, kind: 'ARTEFACT', number, bytes } })
    }
    const artefactHash = createHash('sha256').update(artefact).digest('hex')
    const ready = await tx.db.deployment.update({
      where: { id },
      data: {
        status: 'READY',
        error: null,
        artefactBytes: artefact.length,
        artefactHash,
        buildMs: Math.round(buildMs),
      },
    })
    await tell(tx, row, 'READY')
    if (row.activate && !(await isOvertaken(tx, row))) await activate(tx, ready)
    await trim(tx, row.functionId)
  })
}

export function failBuild(ctx: Context, id: string, error: string): Promise<void> {
  return transaction(ctx, async (tx) => {
    const row = await lockFor(tx, id)
    if (!row || !isUnbuilt(row)) return
    await tx.db.deployment.update({ where: { id }, data: { status: 'FAILED', error: shown(error) } })
    await tell(tx, row, 'FAILED')
    await trim(tx, row.functionId)
  })
}

/** Adds lines to the log of a build. Without any it says that the build goes on. */
export async function addToLog({ sql }: Context, id: string, lines: string): Promise<void> {
  await sql.query(
    `update deployments set "buildLog" = left("buildLog" || $2, $3), "updatedAt" = now() where id = $1 and status = 'BUILDING'`,
    [id, shown(lines), deploymentLimits.logCharacters],
  )
}

/** What PostgreSQL can keep of a text. */
const shown = (text: string) => text.replaceAll('\0', '').toWellFormed()
const isUnbuilt = ({ status }: Deployment) => status === 'PENDING' || status === 'BUILDING'

async function lockFor(tx: DbContext, id: string): Promise<Deployment | null> {
  const rows = await tx.query(
    `select 1 as locked from functions where id = (select "functionId" from deployments where id = $1) and "deletedAt" is null for update`,
    [id],
  )
  return rows.length === 0 ? null : tx.db.deployment.findUnique({ where: { id } })
}

async function isOvertaken(tx: DbContext, { functionId, createdAt }: Deployment): Promise<boolean> {
  const { deploymentId } = await tx.db.function.findUniqueOrThrow({ where: { id: functionId } })
  if (deploymentId === null) return false
  const active = await tx.db.deployment.findUnique({ where: { id: deploymentId } })
  return active !== null && active.createdAt > createdAt
}

/** Deletes what is older than the last few. */
async function trim(tx: DbContext, functionId: string): Promise<void> {
  const rows = await tx.query<{ id: string; projectId: string }>(
    `delete from deployments where id in (
       select d.id from (
         select id, row_number() over (partition by status order by "createdAt" desc, id desc) as place from deployments
         where "functionId" = $1 and status in ('READY', 'FAILED')
           and id is distinct from (select "deploymentId" from functions where id = $1)) d
       where d.place > $2) returning id, "projectId"`,
    [functionId, deploymentLimits.kept],
  )
  const gone = rows.map(({ id, projectId }) => ({ projectId, payload: { functionId, deploymentId: id } }))
  await emitAll(tx, deploymentDeleted, gone)
}

async function tell(tx: DbContext, { id, functionId, projectId }: Deployment, status: Deployment['status']) {
  await emit(tx, deploymentUpdated, { functionId, deploymentId: id, status }, projectId)
}
