/** Containers of executors that are no more. Nearly always there are none: without its executor a container's input ends, and it with it. */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { type DockerApi, DockerError } from './api.ts'

/** No container lives so long: younger ones may be another executor's. */
export const maxAgeMs = 60 * 60_000
const margin = 2
/** A process that is started again in a container has the same name and number as before. */
const instance = randomUUID()

export function labelsOf(kind: 'run' | 'build' | 'runtime' | 'function'): Record<string, string> {
  return { 'tendril.kind': kind, 'tendril.executor': `${hostname()}/${process.pid}/${instance}` }
}

/** What could not be removed when it was over: the engine was away. */
const owed = new Set<string>()

export async function removeContainer(docker: DockerApi, id: string): Promise<void> {
  try {
    await docker.ask('DELETE', `/containers/${id}?force=true&v=true`)
    owed.delete(id)
  } catch (error) {
    if (error instanceof DockerError && error.status === 404) owed.delete(id)
    else owed.add(id)
  }
}

type Listed = { Id: string; Created: number; Labels: Record<string, string> }

/** Removes what nobody holds any more. Answers how many that were. */
export async function removeLeftovers(docker: DockerApi): Promise<number> {
  const filters = encodeURIComponent(JSON.stringify({ label: ['tendril.executor'] }))
  const containers = await docker.ask<Listed[]>('GET', `/containers/json?all=true&filters=${filters}`)
  const left = containers.filter(isLeft)
  for (const { Id } of left) await removeContainer(docker, Id)
  return left.length
}

function isLeft({ Id, Created, Labels }: Listed): boolean {
  if (owed.has(Id)) return true
  const [host, pid, held] = (Labels['tendril.executor'] ?? '').split('/')
  if (host === hostname()) return held !== instance && (Number(pid) === process.pid || !isRunning(Number(pid)))
  return Date.now() - Created * 1000 > maxAgeMs * margin
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
