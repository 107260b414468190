import type { IncomingMessage, ServerResponse } from 'node:http'
import type { App } from '../app.ts'
import { authenticate } from '../authenticate.ts'
import { AppError } from '../errors.ts'
import { confirmVerification } from '../modules/accounts/verifications.ts'
import { projectOf, readBytes, refuseCompressed } from './request.ts'

type Request = { req: IncomingMessage; res: ServerResponse; requestId: string; search: URLSearchParams; ip: string }

/**
 * The page behind the link in a verification mail. Opening it changes nothing, because mail scanners open links too; its
 * button redeems the link.
 */
export async function serveVerification(app: App, { req, res, requestId, search, ip }: Request): Promise<void> {
  if (req.method !== 'POST') {
    const fields = ['project', 'id', 'secret'].map((name) => hiddenField(name, search.get(name) ?? ''))
    return writePage(
      res,
      200,
      `<form method="post" action="/verify">${fields.join('')}<button>Verify my address</button></form>`,
    )
  }
  refuseCompressed(req)
  const form = new URLSearchParams((await readBytes(req)).toString('utf8'))
  const field = (name: string) => form.get(name) ?? ''
  try {
    // What cannot be a project's id never reaches the database.
    const projectId = projectOf(`/projects/${field('project')}/graphql`) ?? ''
    const request = { projectId, authorization: null, requestId, ip, userAgent: '' }
    await confirmVerification(await authenticate(app, request), { id: field('id'), secret: field('secret') })
    writePage(res, 200, '<p>Your address is verified. You can close this page.</p>')
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    writePage(res, 400, '<p>This link is not valid, or no longer. Ask for another mail.</p>')
  }
}

function hiddenField(name: string, value: string): string {
  const escaped = value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
  return `<input type="hidden" name="${name}" value="${escaped}">`
}

function writePage(res: ServerResponse, status: number, body: string): void {
  res.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    'cache-control': 'no-store',
  })
  res.end(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>Verify your address</title><h1>Verify your address</h1>${body}</html>`,
  )
}
