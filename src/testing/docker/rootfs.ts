/**
 * Root file systems of the machine's own programs, for images that no registry gives: what a language needs, with the
 * libraries that its programs and modules are linked with, and a shell.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'

/** `paths` are the machine's, and what is under them; `renamed` is what lies elsewhere on it than in the image. */
export type Rootfs = { paths: string[]; renamed: Record<string, string> }

const tools =
  'sh tar gzip head cat ls mkdir cp mv rm ln chmod env find sed grep sleep dd df true id xargs touch sort tr tail cut'.split(
    ' ',
  )

/** Programs by their names, folders by their paths. A folder that is not there is left out. */
export type Contents = { programs: string[]; folders?: string[]; renamed?: Record<string, string> }

/** Throws a sentence where the machine lacks one of the programs. */
export function rootfsOf({ programs, folders = [], renamed = {} }: Contents): Rootfs {
  const trees = folders.filter((folder) => existsSync(folder))
  const paths = new Set(['/bin', '/lib', '/lib64', '/sbin', '/etc/passwd', '/etc/group', '/etc/ssl/certs', ...trees])
  const binaries = [...tools, ...programs].map(find)
  for (const path of [...binaries, ...Object.keys(renamed)]) for (const hop of hopsOf(path)) paths.add(hop)
  const linked = [...binaries.map((path) => realpathSync(path)), ...Object.keys(renamed), ...modulesIn(trees)]
  for (const library of librariesOf(linked)) for (const hop of hopsOf(library)) paths.add(hop)
  // A file that is named twice would become a link to itself.
  const isWithin = (path: string) => trees.some((tree) => path.startsWith(`${tree}/`))
  return { paths: [...paths].filter((path) => existsSync(path) && !isWithin(path)), renamed }
}

function find(program: string): string {
  const path = `/usr/local/bin:/usr/bin:/usr/sbin:/usr/local/go/bin`
    .split(':')
    .map((folder) => join(folder, program))
    .find((candidate) => existsSync(candidate))
  if (!path) throw new Error(`This machine has no ${program}.`)
  return path
}

/** A path and all that its symbolic links lead over. */
function hopsOf(path: string): string[] {
  const place = join(realpathSync(dirname(path)), basename(path))
  if (!lstatSync(place).isSymbolicLink()) return [place]
  return [place, ...hopsOf(resolve(dirname(place), readlinkSync(place)))]
}

function modulesIn(folders: string[]): string[] {
  if (folders.length === 0) return []
  const found = execFileSync('find', [...folders, '-type', 'f', '-perm', '/111', '-o', '-name', '*.so*', '-type', 'f'])
  return found
    .toString()
    .split('\n')
    .filter((path) => path && isElf(path))
}

function isElf(path: string): boolean {
  return readFileSync(path).subarray(0, 4).toString('latin1') === '\x7fELF'
}

function librariesOf(files: string[]): Set<string> {
  const libraries = new Set<string>()
  // It exits with 1 where one of them is linked with nothing.
  const lines = execFileSync('sh', ['-c', 'ldd "$@" 2>/dev/null || true', 'ldd', ...files], {
    maxBuffer: 64 * 1024 * 1024,
  })
  for (const [, path] of lines.toString().matchAll(/(?:=> |^\t)(\/\S+) \(0x/gm)) if (path) libraries.add(path)
  return libraries
}
