import { randomBytes } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { identify } from './processes.ts'

const isTaken = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EEXIST'

/** Writes a file that is there entirely or not at all, and leaves an earlier one alone. Whether it was written. */
export async function writeOnce(path: string, text: string): Promise<boolean> {
  const draft = `${path}.tmp-${randomBytes(6).toString('hex')}`
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (isTaken(error)) return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/**
 * Makes this process the only one that uses `dir`, until it releases it or is gone, however it went: a claim counts only
 * as long as the very process that wrote it lives.
 */
export async function claimDirectory(dir: string): Promise<() => Promise<void>> {
  const path = join(dir, 'owner')
  const self = (await identify(process.pid)) ?? String(process.pid)
  if (!(await writeOnce(path, self))) {
    const owner = await readFile(path, 'utf8').catch(() => '')
    if (owner && (await identify(Number.parseInt(owner, 10))) === owner) throw alreadyUsed(dir, owner)
    const draft = `${path}.tmp-${randomBytes(6).toString('hex')}`
    await writeFile(draft, self, { mode: 0o600, flag: 'wx' })
    await rename(draft, path)
  }
  return async () => {
    if ((await readFile(path, 'utf8').catch(() => '')) === self) await rm(path, { force: true })
  }
}

export function alreadyUsed(dir: string, owner: string): Error {
  return new Error(
    `${dir} is in use by another Tendril (process ${owner.split(' ')[0]}): stop that one, or choose another directory.`,
  )
}
