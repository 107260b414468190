import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar'
import { type Api, headersOf, urlOf } from '../api.ts'
import { type Command, tell } from '../command.ts'
import { Failure } from '../failure.ts'
import { printFile } from '../print.ts'
import { names } from './file.ts'
import { listFunctions, type Remote } from './remote.ts'
import { sha256 } from './upload.ts'

export const functionsPull: Command = {
  name: 'functions pull',
  usage: '[FOLDER] [--force]',
  summary: "Writes the project's functions into tendril.functions.ts, and the code that is run of each into a folder.",
  options: { force: { type: 'boolean', says: 'write over files that are there' } },
  words: 0,
  optionalWords: 1,
  run: async ({ values, words: [folder = '.'], api }) => {
    const server = api()
    const remotes = await listFunctions(server)
    const places = remotes.map((remote) => ({ remote, folder: folderOf(remote, remotes) }))
    if (values.force !== true) refuseToOverwrite(folder, places)
    requireFolders(folder, places)
    const entries: [string, object][] = []
    for (const { remote, folder: own } of places) {
      entries.push([remote.name, await pull(server, remote, { within: folder, own })])
    }
    const [path = ''] = names
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      join(folder, path),
      printFile({ functions: Object.fromEntries(entries) }, 'Functions', 'tendril/functions'),
    )
    tell(`${path}: ${remotes.length} ${remotes.length === 1 ? 'function' : 'functions'}.`)
    return 0
  },
}

/** A folder of its name, where that is one. */
function folderOf({ id, name }: Remote, all: readonly Remote[]): string {
  const isAmbiguous = all.filter((one) => one.name.toLowerCase() === name.toLowerCase()).length > 1
  if (all.some((one) => one.name === name && one.id !== id))
    throw new Failure(`The project has several functions called “${name}”: give them different names.`)
  return !isAmbiguous && !names.includes(name) && /^[\w][\w.-]*$/.test(name) ? name : id
}

const isFile = (path: string) => existsSync(path) && !statSync(path).isDirectory()

function requireFolders(folder: string, places: readonly { folder: string }[]): void {
  const wrong = places.map((one) => join(folder, one.folder)).find(isFile)
  if (wrong !== undefined) throw new Failure(`${wrong} is a file, where a folder is to be: move it away.`)
}

function refuseToOverwrite(folder: string, places: readonly { folder: string }[]): void {
  const isThere = (path: string) => isFile(path) || (existsSync(path) && readdirSync(path).length > 0)
  const there = [...names, ...places.map((one) => one.folder)].filter((name) => isThere(join(folder, name)))
  if (there.length > 0) throw new Failure(`There is already ${there.join(', ')}: --force writes over what is there.`)
}

type Found = { deployment: { sourceHash: string | null; buildCommand: string | null } | null }

/** Writes the code that is run, and answers what stands in the file. */
async function pull(api: Api, remote: Remote, { within, own }: { within: string; own: string }): Promise<object> {
  const { id: _id, name, deploymentId, ...settings } = remote
  const place = join(within, own)
  mkdirSync(place, { recursive: true })
  // What is empty is left out: a new function has it so.
  const said = Object.entries(settings).filter(
    ([, value]) => value !== null && !(Array.isArray(value) && value.length === 0),
  )
  const config = { ...Object.fromEntries(said), ...(own === name ? {} : { folder: own }) }
  if (deploymentId === null) {
    tell(`${name}: it has no deployment.`)
    return config
  }
  const query = 'query ($id: ID!) { deployment(id: $id) { sourceHash buildCommand } }'
  const { deployment } = await api.request<Found>(query, { id: deploymentId })
  const archive = await download(api, deploymentId)
  if (sha256(archive) !== deployment?.sourceHash) throw new Failure(`${name}: what came is not what was uploaded.`)
  let files = 0
  const count = (_path: string, entry: object) => {
    const isFile = 'type' in entry && entry.type === 'File'
    files += isFile ? 1 : 0
    return isFile || ('type' in entry && entry.type === 'Directory')
  }
  await pipeline(Readable.from([archive]), extract({ cwd: place, strict: true, filter: count }))
  tell(`${name}: ${files} ${files === 1 ? 'file' : 'files'} of ${deploymentId}.`)
  return { ...config, ...(deployment.buildCommand === null ? {} : { buildCommand: deployment.buildCommand }) }
}

async function download({ target }: Api, id: string): Promise<Buffer> {
  const url = urlOf(target, `deployments/${encodeURIComponent(id)}/source`)
  const response = await fetch(url, { headers: headersOf(target) }).catch(() => null)
  if (!response?.ok)
    throw new Failure(
      `The code of ${id} could not be read: ${response ? `HTTP ${response.status}` : 'the connection broke'}.`,
    )
  return Buffer.from(await response.arrayBuffer())
}
