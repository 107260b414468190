import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { create } from 'tar'
import { Failure } from '../failure.ts'
import { type Rules, readRules } from './ignore.ts'

export type Packed = { archive: Buffer; files: number }

/** Most files of a deployment. */
const mostFiles = 20_000
const never = new Set(['.git', '.hg', '.svn', '.DS_Store', '.tendrilignore', '.gitignore'])

/** A tar.gz of a folder without what .gitignore and .tendrilignore leave out. The same files make the same bytes. */
export async function packFolder(folder: string): Promise<Packed> {
  const root = realpathSync(folder)
  const files = listFiles(root)
  if (files.length === 0) throw new Failure(`There are no files in ${folder}.`)
  if (files.length > mostFiles)
    throw new Failure(`${folder} has ${files.length} files, and a deployment ${mostFiles} at most.`)
  const options = { cwd: root, gzip: { level: 6 }, portable: true, follow: true, mtime: new Date(0) }
  const chunks: Buffer[] = []
  for await (const chunk of create(options, files)) chunks.push(chunk)
  return { archive: Buffer.concat(chunks), files: files.length }
}

type Level = { from: string; rules: Rules }

/** Paths of the files below, in order. */
function listFiles(root: string): string[] {
  const files: string[] = []
  const walk = (folder: string, levels: readonly Level[], within: readonly string[]) => {
    const here = [...levels, ...rulesIn(root, folder)]
    for (const name of readdirSync(join(root, folder)).sort()) {
      const path = folder === '' ? name : `${folder}/${name}`
      const real = realOf(root, path)
      const isFolder = statSync(real).isDirectory()
      if (never.has(name) || isLeftOut(here, path, isFolder)) continue
      if (!isFolder) files.push(path)
      else if (name !== '.bin' && !within.includes(real)) walk(path, here, [...within, real])
    }
  }
  walk('', [], [root])
  return files
}

/** Where a link leads to. It must not lead out: what is packed is what is in the folder. */
function realOf(root: string, path: string): string {
  try {
    const real = realpathSync(join(root, path))
    if (real.startsWith(`${root}/`)) return real
  } catch {
    throw new Failure(`${path} is a link to nothing.`)
  }
  throw new Failure(`${path} is a link that leads out of the folder.`)
}

/** .tendrilignore comes behind: it takes back with `!` what .gitignore leaves out. */
function rulesIn(root: string, folder: string): Level[] {
  return ['.gitignore', '.tendrilignore']
    .map((name) => join(root, folder, name))
    .filter((path) => existsSync(path))
    .map((path) => ({ from: folder, rules: readRules(readFileSync(path, 'utf8')) }))
}

function isLeftOut(levels: readonly Level[], path: string, isFolder: boolean): boolean {
  for (const { from, rules } of [...levels].reverse()) {
    const said = rules(from === '' ? path : relative(from, path), isFolder)
    if (said !== null) return said
  }
  return false
}
