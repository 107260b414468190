import { readFile } from 'node:fs/promises'

const pageBytes = 4_096

/** Bytes that a process and those it has started hold in memory; null where the system does not tell. */
export async function residentBytes(pid: number): Promise<number | null> {
  try {
    const [statm, children] = await Promise.all([
      readFile(`/proc/${pid}/statm`, 'utf8'),
      readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'),
    ])
    const own = Number(statm.split(' ')[1]) * pageBytes
    const others = await Promise.all(
      children
        .split(' ')
        .filter(Boolean)
        .map((one) => residentBytes(Number(one))),
    )
    return others.reduce<number>((sum, bytes) => sum + (bytes ?? 0), own)
  } catch {
    return null
  }
}
