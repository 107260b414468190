import { hashSecret, newSecret } from '../src/lib/secrets.ts'
import type { Scope } from '../src/modules/keys/scopes.ts'
import type { World } from '../src/testing/world.ts'

/** Where a server is asked, and as whom. */
export type Peer = { url: string; authorization?: string }

/** What it answers. Throws when it is anything but data. */
export async function ask<T>({ url, authorization }: Peer, body: object): Promise<T> {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(authorization && { authorization }),
  }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  const text = await response.text()
  const { data, errors } = JSON.parse(text)
  if (errors || response.status !== 200) throw new Error(`${url} answered ${response.status} ${text.slice(0, 500)}`)
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
