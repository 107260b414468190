import { randomBytes } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { authenticate } from '../authenticate.ts'
import { consoleProjectId, type Services } from '../context.ts'
import { signUp } from '../modules/accounts/accounts.ts'
import { createKey } from '../modules/keys/keys.ts'
import { scopes } from '../modules/keys/scopes.ts'
import { createProject } from '../modules/projects/projects.ts'
import { writeOnce } from '../servers/claims.ts'

export type Demo = { email: string; password: string; projectId: string; key: string }

/** An account, a project and a key to begin with, made at the first start by the same calls as anybody's. */
export async function prepareDemo(services: Services, dir: string): Promise<Demo> {
  const path = join(dir, 'demo.json')
  const kept = await readDemo(path)
  if (kept && (await services.db.project.findFirst({ where: { id: kept.projectId, deletedAt: null } }))) return kept
  const email = `demo-${randomBytes(3).toString('hex')}@example.org`
  const password = randomBytes(9).toString('base64url')
  const request = { projectId: consoleProjectId, requestId: 'demo', ip: '127.0.0.1', userAgent: 'npm start' }
  const visitor = await authenticate(services, { ...request, authorization: null })
  const { secret } = await signUp(visitor, { email, password, name: 'Demo' })
  const owner = await authenticate(services, { ...request, authorization: `Bearer ${secret}` })
  const { id: projectId } = await createProject(owner, { name: 'Demo' })
  const created = await createKey(owner, { projectId, name: 'demo', scopes: Object.keys(scopes) })
  const demo = { email, password, projectId, key: created.secret }
  // An earlier file names a project that is gone.
  await rm(path, { force: true })
  await writeOnce(path, JSON.stringify(demo))
  return demo
}

async function readDemo(path: string): Promise<Demo | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    return null
  }
}
