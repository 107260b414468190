import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, open, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

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

/** Mounts, and unmounts at the end of its input, which also our death brings. */
const KEEPER = 'mount -t tmpfs -o "size=$2" tendril-faults "$1" || exit; echo mounted; read -r _; umount -l "$1"'

export async function createDisk(dir: string): Promise<Disk> {
  await mkdir(dir, { recursive: true })
  const keeper = spawn('/bin/sh', ['-c', KEEPER, 'sh', dir, `${sizeMb}m`], { detached: true, stdio: 'pipe' })
  const said = await Promise.race([once(keeper.stdout, 'data'), text(keeper.stderr)])
  const missing = typeof said === 'string' ? said.trim() : null
  keeper.unref()
  for (const stream of keeper.stdio) (stream as Socket).unref()
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
      if (missing !== null) return
      keeper.ref()
      keeper.stdin.end()
      await once(keeper, 'exit')
    },
  }
}
