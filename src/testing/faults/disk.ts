import { spawnSync } from 'node:child_process'
import { chmod, mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** A folder on a small disk of its own, where one can be made (`missing` says why not): it can be filled. */
export type Disk = {
  dir: string
  missing: string | null
  /** Leaves no room at all. */
  fill: () => Promise<void>
  free: () => Promise<void>
  close: () => Promise<void>
}

const sizeMb = 600

export async function createDisk(dir: string): Promise<Disk> {
  await mkdir(dir, { recursive: true })
  const { status, stderr, error } = spawnSync(
    'mount',
    ['-t', 'tmpfs', '-o', `size=${sizeMb}m`, 'tendril-faults', dir],
    {
      encoding: 'utf8',
    },
  )
  const missing = status === 0 ? null : (error?.message ?? stderr.trim())
  const close = () => {
    if (missing === null) spawnSync('umount', ['-l', dir])
  }
  process.once('exit', close)
  await chmod(dir, 0o755)
  const ballast = join(dir, 'ballast')
  return {
    dir,
    missing,
    fill: async () => {
      const file = await open(ballast, 'w')
      const block = Buffer.alloc(1 << 20)
      try {
        for (let written = 1; written > 0; ) written = (await file.write(block)).bytesWritten
      } catch (error) {
        if ((error as { code?: string }).code !== 'ENOSPC') throw error
      } finally {
        await file.close()
      }
    },
    free: () => rm(ballast, { force: true }),
    close: async () => {
      process.off('exit', close)
      close()
    },
  }
}
