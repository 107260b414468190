import { createHash } from 'node:crypto'
import type { Deployment, Prisma } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, takeTurn, transaction } from '../../context.ts'
import { Conflict, Invalid, LimitExceeded, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import type { Upload } from '../../lib/upload.ts'
import { changeableFunction, activateDeployment as pointAt } from '../functions/functions.ts'
import { operatorRows, requireOperator } from '../operators/operators.ts'
import { packFile } from './archive.ts'
import { deploymentActivated, deploymentCreated, deploymentDeleted } from './events.ts'
import { deploymentLimits } from './limits.ts'
import { appendSource, completeUpload } from './uploads.ts'

/** The deployments of the project that is asked, for those who run it. */
export function visibleDeployments(ctx: Pick<Context, 'actor' | 'projectId'>): Prisma.DeploymentWhereInput {
  return { ...operatorRows(ctx), function: { deletedAt: null } }
}

type Announced = { bytes: number; sha256: string }

export type NewDeployment = {
  functionId: string
  /** The code itself, an archive that comes with the request, or one that is going to be uploaded: one of them. */
  source?: string | null | undefined
  file?: Upload | null | undefined
  upload?: Announced | null | undefined
  entrypoint?: string | null | undefined
  buildCommand?: string | null | undefined
  activate?: boolean | null | undefined
}

/** Takes new code of a function. It is built as soon as all of it is there, and run as soon as it is built. */
export async function createDeployment(ctx: Context, input: NewDeployment): Promise<Deployment> {
  requireOperator(ctx)
  const { source, file, upload } = input
  if ([source, file, upload].filter((one) => one != null).length !== 1)
    throw new Invalid('Give one of `source`, `file` and `upload`.', ['input'])
  if (source != null) return createInline(ctx, input, source)
  if (upload != null) return createAnnounced(ctx, input, upload)
  return file ? receive(ctx, input, file) : Promise.reject(new Invalid('Give a file.', ['input', 'file']))
}

async function createInline(ctx: Context, input: NewDeployment, source: string): Promise<Deployment> {
  if (Buffer.byteLength(source) > deploymentLimits.inlineBytes)
    throw new LimitExceeded(`Code that is given as text has at most ${deploymentLimits.inlineBytes} bytes.`)
  return transaction(ctx, async (tx) => {
    const { entrypoint, ...row } = await rowOf(ctx, tx, input)
    const bytes = packFile(entrypoint, source)
    const sourceHash = createHash('sha256').update(bytes).digest('hex')
    const parts = { create: { kind: 'SOURCE', number: 0, bytes: new Uint8Array(bytes) } } as const
    const made = { ...row, entrypoint, status: 'PENDING', sourceBytes: bytes.length, sourceHash, parts } as const
    return insert(tx, made)
  })
}

async function createAnnounced(ctx: Context, input: NewDeployment, { bytes, sha256 }: Announced): Promise<Deployment> {
  if (bytes > deploymentLimits.sourceBytes)
    throw new LimitExceeded(`An archive has at most ${deploymentLimits.sourceBytes.toLocaleString('en-US')} bytes.`)
  return transaction(ctx, async (tx) =>
    insert(tx, { ...(await rowOf(ctx, tx, input)), uploadBytes: bytes, sourceHash: sha256.toLowerCase() }),
  )
}

/** Nothing of the file is read before it is known that it may be kept; one that breaks off leaves nothing. */
async function receive(ctx: Context, input: NewDeployment, file: Upload): Promise<Deployment> {
  const { id } = await transaction(ctx, async (tx) => tx.db.deployment.create({ data: await rowOf(ctx, tx, input) }))
  try {
    await appendSource(ctx, id, file.bytes(), { offset: 0, most: deploymentLimits.sourceBytes })
    return await completeUpload(ctx, id, deploymentCreated)
  } catch (error) {
    await ctx.db.deployment.deleteMany({ where: { id, status: 'UPLOADING' } })
    throw error
  }
}

async function insert(tx: DbContext, data: Prisma.DeploymentUncheckedCreateInput): Promise<Deployment> {
  const row = await tx.db.deployment.create({ data })
  await emit(tx, deploymentCreated, { functionId: row.functionId, deploymentId: row.id, status: row.status })
  return row
}

/** A row of its own for new code, with the function locked. */
async function rowOf(ctx: Context, tx: DbContext, input: NewDeployment) {
  const { functionId, entrypoint, buildCommand = null, activate } = input
  const owner = await changeableFunction(ctx, tx, functionId)
  const { projectId } = ctx
  await takeTurn(tx, `deployments ${projectId}`)
  await requireRoom(ctx, tx)
  const uploads = await tx.db.deployment.count({ where: { projectId, status: 'UPLOADING' } })
  if (uploads >= deploymentLimits.uploads)
    throw new LimitExceeded(`A project has at most ${deploymentLimits.uploads} uploads under way.`)
  const waiting = await tx.db.deployment.count({ where: { functionId, status: { in: ['PENDING', 'BUILDING'] } } })
  if (waiting >= deploymentLimits.waiting)
    throw new LimitExceeded(`At most ${deploymentLimits.waiting} deployments of a function wait to be built.`)
  return {
    id: newId('dep'),
    projectId,
    functionId,
    runtime: owner.runtime,
    entrypoint: entrypoint ?? owner.entrypoint,
    buildCommand,
    activate: activate ?? true,
  }
}

async function requireRoom({ projectId }: Context, tx: DbContext): Promise<void> {
  const { _sum } = await tx.db.deployment.aggregate({
    where: { projectId },
    _sum: { sourceBytes: true, artefactBytes: true },
  })
  const { projectBytes } = deploymentLimits
  if ((_sum.sourceBytes ?? 0) + (_sum.artefactBytes ?? 0) >= projectBytes)
    throw new LimitExceeded(
      `The deployments of a project have at most ${projectBytes.toLocaleString('en-US')} bytes: delete some.`,
    )
}

/** Runs this deployment from now on: a new one, or one before it. */
export async function activateDeployment(ctx: Context, id: string): Promise<Deployment> {
  requireOperator(ctx)
  return transaction(ctx, async (tx) => {
    const row = await lockDeployment(ctx, tx, id)
    if (row.status !== 'READY') throw new Conflict('Only a deployment that is ready can be run.')
    // What was asked for before is not to take its place once it is built.
    await tx.query(
      `update deployments set activate = false where "functionId" = $1 and activate and status in ('UPLOADING', 'PENDING', 'BUILDING')`,
      [row.functionId],
    )
    await activate(tx, row)
    return row
  })
}

/** For those who hold the lock of its function. */
export async function activate(tx: DbContext, { id, functionId, projectId }: Deployment): Promise<void> {
  await pointAt(tx, functionId, id)
  await emit(tx, deploymentActivated, { functionId, deploymentId: id }, projectId)
}

export async function deleteDeployment(ctx: Context, id: string): Promise<string> {
  requireOperator(ctx)
  return transaction(ctx, async (tx) => {
    const { functionId } = await lockDeployment(ctx, tx, id)
    const owner = await tx.db.function.findUniqueOrThrow({ where: { id: functionId } })
    if (owner.deploymentId === id) throw new Conflict('This deployment is the one that is run: activate another first.')
    await tx.db.deployment.delete({ where: { id } })
    await emit(tx, deploymentDeleted, { functionId, deploymentId: id })
    return id
  })
}

export async function getDeployment(ctx: Context, id: string): Promise<Deployment> {
  const row = await ctx.db.deployment.findFirst({ where: { AND: [{ id }, visibleDeployments(ctx)] } })
  if (!row) throw new NotFound('There is no such deployment.')
  return row
}

/** The function's lock comes first, so that changes of one function are in one order. */
async function lockDeployment(ctx: Context, tx: DbContext, id: string): Promise<Deployment> {
  const found = await getDeployment(ctx, id)
  await changeableFunction(ctx, tx, found.functionId)
  const row = await tx.db.deployment.findFirst({ where: { AND: [{ id }, visibleDeployments(ctx)] } })
  if (!row) throw new NotFound('There is no such deployment.')
  return row
}
