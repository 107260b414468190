import { hash } from 'node:crypto'
import { type Context, transaction } from '../context.ts'
import { newId } from '../lib/ids.ts'
import { activateDeployment, createFunction, type NewFunction } from '../modules/functions/functions.ts'

/** Gives a function code that is run from now on, as if it had been uploaded and built. */
export async function deploy(ctx: Context, functionId: string, code: string | Buffer): Promise<string> {
  const bytes = Buffer.from(code)
  const id = newId('dep')
  return transaction(ctx, async (tx) => {
    const { runtime, entrypoint, projectId } = await tx.db.function.findUniqueOrThrow({ where: { id: functionId } })
    const artefact = { artefactBytes: bytes.length, artefactHash: hash('sha256', bytes, 'hex') }
    await tx.db.deployment.create({
      data: { id, projectId, functionId, runtime, entrypoint, status: 'READY', ...artefact },
    })
    await tx.db.deploymentPart.create({
      data: { deploymentId: id, kind: 'ARTEFACT', number: 0, bytes: new Uint8Array(bytes) },
    })
    await activateDeployment(tx, functionId, id)
    return id
  })
}

/** A function of JavaScript that runs `code`. */
export async function makeFunction(
  ctx: Context,
  code: string | Buffer = 'export default ({ res }) => res.text("hello")',
  input: Partial<NewFunction> = {},
) {
  const made = await createFunction(ctx, { name: 'f', runtime: 'javascript', ...input })
  await deploy(ctx, made.id, code)
  return made
}
