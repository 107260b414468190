import type { Api } from '../api.ts'
import { type Command, tell } from '../command.ts'
import { Failure } from '../failure.ts'
import { type Configured, readFunctions } from './file.ts'
import { followBuild } from './log.ts'
import { packFolder } from './pack.ts'
import { listFunctions, putFunction, type Remote, urlOf } from './remote.ts'
import { tellWhyUnavailable } from './unavailable.ts'
import { sha256, upload } from './upload.ts'

export const functionsPush: Command = {
  name: 'functions push',
  usage: '[FOLDER] [--only NAME] [--no-activate] [--force]',
  summary:
    'Makes the functions of tendril.functions.ts in the project, uploads their code and waits until it is built.',
  options: {
    only: { type: 'string', says: 'only the function of this name' },
    'no-activate': { type: 'boolean', says: 'build the code, and run what was run before' },
    force: { type: 'boolean', says: 'upload code that is run already, too' },
  },
  words: 0,
  optionalWords: 1,
  run: async ({ values, words: [folder = '.'], api }) => {
    const all = await readFunctions(folder)
    const named = values.only === undefined ? all : all.filter(({ name }) => name === values.only)
    if (named.length === 0) throw new Failure(`The file has no function “${values.only}”.`)
    const server = api()
    const there = await listFunctions(server)
    const failed: string[] = []
    for (const one of named) {
      const options = { activate: values['no-activate'] !== true, force: values.force === true }
      if (!(await push(server, there, one, options))) failed.push(one.name)
    }
    if (failed.length > 0) throw new Failure(`Not built: ${failed.join(', ')}.`)
    return 0
  },
}

type Options = { activate: boolean; force: boolean }

/** Answers whether it is built. */
async function push(api: Api, there: readonly Remote[], { name, folder, config }: Configured, options: Options) {
  const { archive, files } = await packFolder(folder)
  const { remote, did } = await putFunction(api, there, name, config).catch((error) => {
    throw error instanceof Failure ? new Failure(`${name}: ${error.message}`) : error
  })
  tell(`${name}: ${did} (${remote.id})`)
  const url = urlOf(api, remote)
  if (url) tell(`${name}: ${url}`)
  const hash = sha256(archive)
  if (!options.force && (await isThere(api, remote, hash))) {
    tell(`${name}: its code is the one that is run already.`)
    return true
  }
  const id = await announce(api, remote, { bytes: archive.length, sha256: hash }, config, options)
  tell(`${name}: ${files} ${files === 1 ? 'file' : 'files'}, ${kilobytes(archive.length)}`)
  await upload(api, id, archive, (sent) => {
    if (sent < archive.length) tell(`${name}: ${Math.floor((sent / archive.length) * 100)} % uploaded`)
  })
  const begun = performance.now()
  const over = new AbortController()
  const tellReason = (reason: string) => tell(`${name}: waits, for ${remote.runtime} is not available: ${reason}`)
  // Whoever may push may not be told that; the build tells its own end.
  tellWhyUnavailable(api, remote.runtime, tellReason, over.signal).catch(() => {})
  const status = await followBuild(api, id, (line) => tell(`${name}: ${line}`)).finally(() => over.abort())
  const { deployment } = await api.request<{ deployment: { error: string | null; isActive: boolean } | null }>(
    'query ($id: ID!) { deployment(id: $id) { error isActive } }',
    { id },
  )
  if (status === 'READY') {
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1)
    tell(`${name}: ${id} is ready after ${seconds} s${deployment?.isActive ? ', and is run from now on' : ''}.`)
    return true
  }
  tell(`${name}: ${id} failed: ${deployment?.error ?? 'it is gone.'}`)
  return false
}

const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1024).toLocaleString('en-US')} KB`

/** Whether what is run was made of the very same archive, and of the same settings. */
async function isThere(
  { request }: Api,
  { deploymentId, runtime, entrypoint }: Remote,
  hash: string,
): Promise<boolean> {
  if (deploymentId === null) return false
  type Found = { deployment: { sourceHash: string | null; runtime: string; entrypoint: string } | null }
  const { deployment } = await request<Found>(
    'query ($id: ID!) { deployment(id: $id) { sourceHash runtime entrypoint } }',
    { id: deploymentId },
  )
  return deployment?.sourceHash === hash && deployment.runtime === runtime && deployment.entrypoint === entrypoint
}

async function announce(
  { request }: Api,
  { id: functionId }: Remote,
  announced: { bytes: number; sha256: string },
  { buildCommand }: Configured['config'],
  { activate }: Options,
): Promise<string> {
  const { createDeployment } = await request<{ createDeployment: { id: string } }>(
    'mutation ($input: CreateDeploymentInput!) { createDeployment(input: $input) { id } }',
    { input: { functionId, upload: announced, buildCommand: buildCommand ?? null, activate } },
  )
  return createDeployment.id
}
