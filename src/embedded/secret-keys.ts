import { randomBytes } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeOnce } from '../servers/claims.ts'

/** The key ring of an instance that was given none: made at the first start, readable by its owner alone. */
export async function readSecretKeys(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true })
  const path = join(dir, 'secret-keys')
  await writeOnce(path, randomBytes(32).toString('base64'))
  return readFile(path, 'utf8')
}
