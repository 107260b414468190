import type { ServerResponse } from 'node:http'
import type { App } from '../app.ts'
import { findChallenge } from '../modules/certificates/certificates.ts'
import { Refusal } from './refusal.ts'

const form = /^\/\.well-known\/acme-challenge\/([\w-]{16,128})$/

export function isChallenge(path: string): boolean {
  return form.test(path)
}

/** Answers a certificate authority that looks whether a domain is ours: HTTP-01 of ACME. */
export async function serveChallenge(app: App, res: ServerResponse, path: string): Promise<void> {
  const answer = await findChallenge(app, form.exec(path)?.[1] ?? '')
  if (answer === null) throw new Refusal(404, 'NOT_FOUND', 'There is no such challenge.')
  res.writeHead(200, { 'content-type': 'application/octet-stream' }).end(answer)
}
