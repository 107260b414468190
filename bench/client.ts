import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { hashSecret, newSecret } from '../src/lib/secrets.ts'
import type { Scope } from '../src/modules/keys/scopes.ts'
import type { World } from '../src/testing/world.ts'

/** Where a server is asked, and as whom. */
export type Peer = { url: string; authorization?: string }

const agent = new Agent({ keepAlive: true })

/**
 * What it answers, whatever that is. Not with `fetch`: in a process that asks once in a while, its streams take two to three
 * milliseconds before and after the server has its turn.
 */
export async function askRaw({ url, authorization }: Peer, body: string): Promise<{ status: number; text: string }> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(authorization && { authorization }),
  }
  const asking = request(url, { agent, method: 'POST', headers }).end(body)
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  let text = ''
  for await (const part of response.setEncoding('utf8')) text += part
  return { status: response.statusCode ?? 0, text }
}

/** The data of what it answers. Throws when it is anything else. */
export async function ask<T>(peer: Peer, body: object): Promise<T> {
  const { status, text } = await askRaw(peer, JSON.stringify(body))
  const { data, errors } = JSON.parse(text)
  if (errors || status !== 200) throw new Error(`${peer.url} answered ${status} ${text.slice(0, 500)}`)
  return data
}

/** A key of a project. If nothing else is said, it may read and write all documents. */
export async function createKey(
  { app }: World,
  projectId: string,
  scopes: Scope[] = ['documents.read', 'documents.write'],
): Promise<string> {
  const secret = newSecret('key')
  await app.db.key.create({
    data: { id: `key_${projectId}`, projectId, name: 'bench', hash: hashSecret(secret), scopes },
  })
  return `Bearer ${secret}`
}
