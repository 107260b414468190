/** The runtimes that run in containers: one JSON file each, in `runtimes/` and in RUNTIMES_DIR. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'

const file = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9.]+)?$/, 'must be like python-3.11'),
  /** An image with sh, GNU tar and gzip. What the function needs while it runs. */
  image: z.string().regex(/^[a-z0-9][\w./:@-]*$/, 'must be the name of an image'),
  /** What the build needs, where that is another image. */
  buildImage: z
    .string()
    .regex(/^[a-z0-9][\w./:@-]*$/, 'must be the name of an image')
    .optional(),
  /** A folder of `shims/`, or a path from the file's own folder. It is `/tendril` in the container. */
  shim: z.string().min(1),
  /** Shell: run once in the image of builds, as root and without a network, before the first of them. What it writes is kept in it. */
  prepare: z.string().min(1).optional(),
  /** The entry point where a function names none. */
  entrypoint: z.string().min(1),
  /** Shell: fetches dependencies, in the folder of the archive. A function may have its own instead. */
  install: z.string().min(1).optional(),
  /** Shell: makes of the folder what runs; what it leaves in `$OUTPUT`, if anything, is kept instead of the folder. */
  build: z.string().min(1).optional(),
  /** Shell: starts the shim, in the built folder, with ENTRYPOINT and MEMORY_MB. */
  start: z.string().min(1),
  /** Shell: starts the program of the shim that stands in for a proxy in builds' network, where the shim has one. */
  forward: z.string().min(1).optional(),
  /** What the language exits with when it finds that memory is over, before the wall does. */
  memoryExitCodes: z.array(z.int()).default([]),
})

export type Runtime = Omit<z.infer<typeof file>, 'shim' | 'buildImage'> & { buildImage: string; shimFolder: string }

const ours = join(import.meta.dirname, 'runtimes')
const shims = join(import.meta.dirname, 'shims')

/** Answers them by name. One in RUNTIMES_DIR takes the place of ours with the same name. Throws what is wrong in which file. */
export function readRuntimes(folder: string | null, only: readonly string[] = []): Map<string, Runtime> {
  const files = [ours, ...(folder ? [resolve(folder)] : [])].flatMap(filesIn)
  const all = new Map(files.map(readRuntime).map((runtime) => [runtime.name, runtime]))
  const unknown = only.find((name) => !all.has(name))
  if (unknown)
    throw new Error(`DOCKER_RUNTIMES: there is no runtime ${unknown}. There are ${[...all.keys()].join(', ')}.`)
  return only.length === 0 ? all : new Map(only.flatMap((name) => [...all].filter(([known]) => known === name)))
}

type Place = { folder: string; name: string }

function filesIn(folder: string): Place[] {
  if (!existsSync(folder)) throw new Error(`RUNTIMES_DIR: there is no folder ${folder}.`)
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.sort().map((name) => ({ folder, name }))
}

function readRuntime({ folder, name }: Place): Runtime {
  const { shim, ...rest } = parse(folder, name)
  const shimFolder = [join(shims, shim), resolve(folder, shim)].find((path) => existsSync(path))
  if (!shimFolder) throw new Error(`${join(folder, name)}: shim: there is no folder ${shim}.`)
  return { ...rest, buildImage: rest.buildImage ?? rest.image, shimFolder }
}

function parse(folder: string, name: string): z.infer<typeof file> {
  const path = join(folder, name)
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`)
  }
  const { data, error } = file.safeParse(content)
  if (data) return data
  throw new Error(error.issues.map((issue) => [path, ...issue.path, issue.message].join(': ')).join('\n'))
}
