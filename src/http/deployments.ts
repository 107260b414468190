/** Archives and artefacts of deployments as bytes. `docs/guides/functions-deploying.md` tells of them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Deployment } from '../../prisma/client/client.ts'
import type { App } from '../app.ts'
import { authenticate } from '../authenticate.ts'
import type { Context } from '../context.ts'
import { Conflict, Forbidden, Invalid, NotFound } from '../errors.ts'
import { getDeployment } from '../modules/deployments/deployments.ts'
import { type PartKind, readParts } from '../modules/deployments/parts.ts'
import { appendSource, completeUpload } from '../modules/deployments/uploads.ts'
import type { Scope } from '../modules/keys/scopes.ts'
import { requireOperator } from '../modules/operators/operators.ts'
import { scopesOf } from '../modules/permissions/roles.ts'
import type { Load } from './load.ts'
import { Refusal } from './refusal.ts'
import { discard, type Intake } from './upload.ts'

type Exchange = { req: IncomingMessage; res: ServerResponse; requestId: string; path: string }
type Parts = { app: App; load: Load; addressOf: (req: IncomingMessage) => string }

/** `GET` and `HEAD` of both, `PUT` of a source that is being uploaded. */
export function createDeploymentRoute({ app, load, addressOf }: Parts, intake: Intake) {
  return async (exchange: Exchange): Promise<void> => {
    const { req, res, requestId, path } = exchange
    const [, , projectId = '', , id = '', kind] = path.split('/')
    const methods = kind === 'source' ? ['GET', 'HEAD', 'PUT'] : ['GET', 'HEAD']
    if (!methods.includes(req.method ?? '')) {
      res.setHeader('allow', methods.join(', '))
      throw new Refusal(405, 'INVALID', `This is for ${methods.join(', ')}.`)
    }
    const ctx = await authenticate(app, {
      projectId,
      authorization: req.headers.authorization ?? null,
      requestId,
      ip: addressOf(req),
      userAgent: String(req.headers['user-agent'] ?? '').slice(0, 512),
    })
    load.admit(ctx)
    requireScope(ctx, req.method === 'PUT' ? 'functions.write' : 'functions.read')
    const deployment = await getDeployment(ctx, id)
    if (req.method === 'PUT') return receive(ctx, deployment, exchange, intake)
    return send(ctx, deployment, kind === 'source' ? 'SOURCE' : 'ARTEFACT', exchange)
  }
}

function requireScope(ctx: Context, scope: Scope): void {
  requireOperator(ctx)
  const own = scopesOf(ctx)
  if (own && !own.has(scope)) throw new Forbidden(`This needs the scope ${scope}.`)
}

/**
 * Takes a piece of an archive, or none: whoever has not heard the last answer asks so how far it is, and has it ended where all
 * is there. What came until a piece was cut off is kept.
 */
async function receive(ctx: Context, row: Deployment, { req, res }: Exchange, intake: Intake): Promise<void> {
  const { id, status, uploadBytes, sourceBytes } = row
  res.setHeader('upload-offset', sourceBytes)
  const { start, total } = rangeOf(req)
  if (status !== 'UPLOADING' && uploadBytes !== null && start === null) return tell(res, id, status, sourceBytes)
  if (status !== 'UPLOADING' || uploadBytes === null) throw new Conflict('All of this deployment is there.')
  if (total !== null && total !== uploadBytes)
    throw new Invalid(`This upload was to have ${uploadBytes} bytes.`, ['content-range'])
  if (start !== null && start !== sourceBytes) throw new Conflict(`The upload goes on at byte ${sourceBytes}.`)
  const release = intake.take(req)
  try {
    const offset =
      start === null ? sourceBytes : await appendSource(ctx, id, untilCut(req), { offset: start, most: uploadBytes })
    if (req.destroyed && !req.complete) return
    const isComplete = offset === uploadBytes
    const state = isComplete ? (await completeUpload(ctx, id)).status : status
    tell(res, id, state, offset)
  } finally {
    release()
    discard(req)
  }
}

function tell(res: ServerResponse, id: string, status: Deployment['status'], offset: number): void {
  res.setHeader('upload-offset', offset)
  const body = JSON.stringify({ id, status, offset })
  res.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(body)
}

/** `content-range: bytes 1000-1999/5000`, or `bytes *\/5000` where nothing comes; without it the body is all there is. */
function rangeOf({ headers }: IncomingMessage): { start: number | null; total: number | null } {
  const given = headers['content-range']
  if (given === undefined) return { start: 0, total: null }
  const [, all] = /^bytes \*\/(\d{1,12})$/.exec(given) ?? []
  if (all !== undefined) return { start: null, total: Number(all) }
  const [, start = '', total = ''] = /^bytes (\d{1,12})-\d{1,12}\/(\d{1,12})$/.exec(given) ?? []
  if (start === '') throw new Invalid('It has the form `bytes 1000-1999/5000`.', ['content-range'])
  return { start: Number(start), total: Number(total) }
}

/** A connection that breaks is the end of what came by it, and no more. */
async function* untilCut(req: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of req.iterator({ destroyOnReturn: false })) yield chunk
  } catch (error) {
    if (!req.destroyed) throw error
  }
}

async function send(ctx: Context, row: Deployment, kind: PartKind, { req, res }: Exchange): Promise<void> {
  const { id, status, sourceBytes, artefactBytes, runtime, uploadBytes } = row
  const isSource = kind === 'SOURCE'
  const isUploading = isSource && status === 'UPLOADING'
  if (isUploading) {
    res.setHeader('upload-offset', sourceBytes)
    if (uploadBytes !== null) res.setHeader('upload-length', uploadBytes)
    if (req.method === 'HEAD') return void res.writeHead(200).end()
  }
  const bytes = isSource ? sourceBytes : artefactBytes
  if (isUploading || bytes === 0) throw new NotFound(isSource ? 'Not all of it is there.' : 'It is not built.')
  const isScript = !isSource && ['javascript', 'typescript'].includes(runtime)
  res.writeHead(200, {
    'content-type': isScript ? 'text/plain; charset=utf-8' : 'application/gzip',
    'content-length': bytes,
    'content-disposition': `attachment; filename="${id}.${isScript ? 'js' : 'tar.gz'}"`,
  })
  if (req.method === 'HEAD') return void res.end()
  await pipeline(exactly(readParts(ctx, id, kind), bytes), res)
}

/** One that is deleted meanwhile ends with its connection: whoever comes next on it would be answered with the rest. */
async function* exactly(parts: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes
  for await (const part of parts) {
    left -= part.length
    yield part
  }
  if (left !== 0) throw new NotFound('It is gone.')
}
