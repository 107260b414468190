import { readFile } from 'node:fs/promises'

/**
 * Names a process so that no later one can be mistaken for it: process ids are given out again, and after a reboot or
 * in a new container quickly so. Undefined when there is no such process, or nothing of it but its entry.
 */
export async function identify(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return exists(pid) ? String(pid) : undefined
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ])
    // The program's name stands in brackets and may hold anything; what follows the last one is regular.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${pid} ${fields[19]} ${boot.trim()}`
  } catch {
    return undefined
  }
}

export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
