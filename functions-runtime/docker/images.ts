/**
 * Images: a runtime's own with the shim in it, and one for each artefact on top of that. They are made by committing a
 * container that never ran, which every engine can do: nothing is mounted, so an engine may be on another machine.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Header } from 'tar'
import { type DockerApi, DockerError } from './api.ts'
import { demultiplex } from './frames.ts'
import { labelsOf, removeContainer } from './leftovers.ts'
import type { Runtime } from './runtimes.ts'

/** Most images of functions that are kept on an engine. What is gone is made again from its artefact. */
const maxFunctionImages = 200

export type RuntimeImages = { run: string; build: string }

/** Pulls what is not there, and adds the shim. Throws DockerError. */
export async function prepareRuntime(
  docker: DockerApi,
  runtime: Runtime,
  onProgress: (text: string) => void,
): Promise<RuntimeImages> {
  const shim = tarOf(readShim(runtime.shimFolder))
  const prepare = async (image: string, script: string | undefined) => {
    const id = (await imageId(docker, image)) ?? (await pull(docker, image, onProgress))
    const tag = `tendril-runtime:${hashOf(id, shim, script ?? '')}`
    const work = { from: image, to: tag, tar: shim, path: '/', kind: 'runtime', script } as const
    if (await imageId(docker, tag)) return tag
    if (script) onProgress(`The image ${image} is being prepared for builds.`)
    await commit(docker, work)
    return tag
  }
  const { image, buildImage, prepare: script } = runtime
  const run = await prepare(image, buildImage === image ? script : undefined)
  return { run, build: buildImage === image ? run : await prepare(buildImage, script) }
}

/** Puts an artefact (a tar.gz that was looked through) on top of its runtime's image, once. */
export async function prepareFunction(
  docker: DockerApi,
  runtimeImage: string,
  hash: string,
  artefact: () => Promise<Buffer>,
): Promise<string> {
  const tag = `tendril-function:${hashOf(runtimeImage, hash)}`
  const name = `${docker.url} ${tag}`
  for (;;) {
    const others = underWay.get(name)
    if (!others) break
    try {
      return await others
    } catch (error) {
      // What the engine refuses, it refuses to all. Else it was asked for on behalf of a run that may only have been given up.
      if (error instanceof DockerError) throw error
    }
  }
  const making = makeFunctionImage(docker, runtimeImage, tag, artefact).finally(() => underWay.delete(name))
  underWay.set(name, making)
  return making
}

/** Runs that begin at the same time wait for one and the same. */
const underWay = new Map<string, Promise<string>>()

async function makeFunctionImage(docker: DockerApi, from: string, to: string, artefact: () => Promise<Buffer>) {
  if (await imageId(docker, to)) return to
  await commit(docker, { from, to, tar: await artefact(), path: '/function', kind: 'function' })
  void removeOldImages(docker).catch(() => {})
  return to
}

/** Null where there is none of that name. */
export async function imageId(docker: DockerApi, image: string): Promise<string | null> {
  try {
    return (await docker.ask<{ Id: string }>('GET', `/images/${image}/json`)).Id
  } catch (error) {
    if (error instanceof DockerError && error.status === 404) return null
    throw error
  }
}

type Progress = { status?: string; id?: string; error?: string; progressDetail?: { current?: number; total?: number } }

async function pull(docker: DockerApi, image: string, onProgress: (text: string) => void): Promise<string> {
  onProgress(`The image ${image} is being pulled.`)
  const layers = new Map<string, { current: number; total: number }>()
  const response = await docker.send('POST', `/images/create?fromImage=${encodeURIComponent(tagged(image))}`, null)
  let told = 0
  for await (const line of createInterface({ input: response })) {
    const { id, error, progressDetail = {} } = JSON.parse(line) as Progress
    if (error) throw new DockerError(500, error)
    const { current = 0, total = 0 } = progressDetail
    if (id && total > 0) layers.set(id, { current, total })
    const done = percentOf([...layers.values()])
    if (done >= told + 10) onProgress(`The image ${image} is being pulled: ${done} %.`)
    told = Math.max(told, done - (done % 10))
  }
  const pulled = await imageId(docker, image)
  if (!pulled) throw new DockerError(404, `The image ${image} was pulled, and is not there.`)
  return pulled
}

/** Without a tag the engine would pull all of them. */
function tagged(image: string): string {
  return /[:@][^/]*$/.test(image) ? image : `${image}:latest`
}

function percentOf(layers: { current: number; total: number }[]): number {
  const sum = (key: 'current' | 'total') => layers.reduce((all, layer) => all + layer[key], 0)
  return Math.floor((100 * sum('current')) / Math.max(1, sum('total')))
}

/** `script` is run in the container before it is committed. */
type Commit = {
  from: string
  to: string
  tar: Buffer
  path: string
  kind: 'runtime' | 'function'
  script?: string | undefined
}

async function commit(docker: DockerApi, { from, to, tar, path, kind, script = 'true' }: Commit): Promise<void> {
  const labels = { 'tendril.kind': kind }
  const config = {
    Image: from,
    Entrypoint: ['sh', '-c', script],
    Cmd: [],
    Labels: labelsOf(kind),
    HostConfig: { NetworkMode: 'none' },
  }
  const { Id } = await docker.ask<{ Id: string }>('POST', '/containers/create', config)
  try {
    const answer = await docker.send('PUT', `/containers/${Id}/archive?path=${path}`, tar)
    answer.resume()
    if (script !== 'true') await runOnce(docker, Id)
    const [repository, tag] = to.split(':')
    await docker.ask('POST', `/commit?container=${Id}&repo=${repository}&tag=${tag}&pause=false`, { Labels: labels })
  } finally {
    await removeContainer(docker, Id)
  }
}

async function runOnce(docker: DockerApi, id: string): Promise<void> {
  await docker.ask('POST', `/containers/${id}/start`)
  const { StatusCode } = await docker.ask<{ StatusCode: number }>('POST', `/containers/${id}/wait`)
  if (StatusCode === 0) return
  const written: Buffer[] = []
  const take = demultiplex(
    (bytes) => written.push(bytes),
    (bytes) => written.push(bytes),
  )
  const response = await docker.send('GET', `/containers/${id}/logs?stdout=1&stderr=1&tail=10`, null)
  for await (const bytes of response) take(bytes)
  throw new DockerError(
    500,
    `What prepares its image for builds ended with code ${StatusCode}. ${Buffer.concat(written)}`,
  )
}

function hashOf(...parts: (string | Buffer)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex').slice(0, 32)
}

async function removeOldImages(docker: DockerApi): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: ['tendril.kind=function'] }))
  const images = await docker.ask<{ Id: string; Created: number }[]>('GET', `/images/json?filters=${filters}`)
  const old = images.sort((a, b) => b.Created - a.Created).slice(maxFunctionImages)
  // One that a container uses is refused, and stays.
  for (const { Id } of old) await docker.ask('DELETE', `/images/${Id}`).catch(() => {})
}

type File = { path: string; content: Buffer | null }

function readShim(folder: string): File[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const files = names.map((entry) => join(entry.parentPath, entry.name)).sort()
  return [
    { path: 'function/', content: null },
    { path: 'tendril/', content: null },
    ...files.map((path) => ({ path: `tendril/${path.slice(folder.length + 1)}`, content: readFileSync(path) })),
  ]
}

/** The same bytes for the same files, at any time. */
function tarOf(files: File[]): Buffer {
  const blocks = files.flatMap(({ path, content }) => {
    const size = content?.length ?? 0
    const header = new Header({
      path,
      size,
      mode: content ? 0o644 : 0o755,
      type: content ? 'File' : 'Directory',
      mtime: new Date(0),
    })
    const block = Buffer.alloc(512)
    header.encode(block)
    return [block, content ?? Buffer.alloc(0), Buffer.alloc((512 - (size % 512)) % 512)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}
