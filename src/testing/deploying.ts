/** An API with a function, and who uploads its code: for tests. */
import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { startApi } from '../api.ts'
import { newId } from '../lib/ids.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { createFunction } from '../modules/functions/functions.ts'
import { createWorld } from './world.ts'

export const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
/** A file that gzip does not make smaller. */
export const archiveOf = (size: number) => gzipSync(randomBytes(size), { level: 1 })

export const createDeployment = `mutation ($input: CreateDeploymentInput!) { createDeployment(input: $input) { id status sourceBytes sourceHash uploadPath } }`

export async function createDeploying() {
  const world = await createWorld({ PORT: '0' })
  const api = await startApi(world.app)
  const { owner, projectId } = await world.createProject()
  const functionId = (await createFunction(owner, { name: 'f', runtime: 'typescript' })).id
  const createKey = async (scopes: string[]) => {
    const secret = newSecret('key')
    const names = { id: newId('key'), projectId, name: secret.slice(-8) }
    await world.app.db.key.create({ data: { ...names, hash: hashSecret(secret), scopes } })
    return secret
  }
  const key = await createKey(['functions.read', 'functions.write'])
  const sourceUrl = (id: string) => `${api.url}/projects/${projectId}/deployments/${id}/source`
  /** Sends the beginning of a body, then nothing. */
  const sendCut = (method: string, path: string, headers: Record<string, string>, bytes: Buffer) =>
    new Promise<void>((resolve) => {
      const req = request(api.url + path, { method, headers: { authorization: `Bearer ${key}`, ...headers } })
      req.on('error', () => resolve())
      req.on('close', () => resolve())
      req.write(bytes, () => setTimeout(() => req.destroy(), 200))
    })
  const close = async () => {
    await api.close()
    await world.close()
  }
  return { world, api, owner, projectId, functionId, createKey, key, sourceUrl, sendCut, close }
}
