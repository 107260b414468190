import type { Api } from '../api.ts'
import { Failure } from '../failure.ts'
import type { FunctionConfig } from './types.ts'

/** A function as the server has it. */
export type Remote = Settings & {
  id: string
  name: string
  deploymentId: string | null
  enabled: boolean
}

type Settings = Omit<FunctionConfig, 'folder' | 'buildCommand'>

const settings = [
  ...['runtime', 'entrypoint', 'events', 'schedule', 'timeZone', 'execute', 'scopes', 'runAs'],
  ...['timeoutMs', 'memoryMb', 'isTrusted', 'maxAttempts', 'retryAfterMs', 'logging', 'enabled'],
] as const

const fields = `id name deploymentId ${settings.join(' ')} hooks { on deadlineMs onMissed }`

type Page = { functions: { nodes: Remote[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } }

export async function listFunctions({ request }: Api): Promise<Remote[]> {
  const found: Remote[] = []
  for (let after: string | null = null; ; ) {
    const { functions }: Page = await request(
      `query ($after: String) { functions(first: 100, after: $after) { nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`,
      { after },
    )
    found.push(...functions.nodes)
    if (!functions.pageInfo.hasNextPage) return found
    after = functions.pageInfo.endCursor
  }
}

/** Where it is called over HTTP; null where nobody may. */
export function urlOf({ target: { url } }: Api, { id, execute }: Pick<Remote, 'id' | 'execute'>): string | null {
  return execute?.length ? `${url.replace(/\/+$/, '')}/functions/${id}` : null
}

export type Put = { remote: Remote; did: 'created' | 'changed' | 'as it was' }

/** Makes a function of the server that of the file. */
export async function putFunction(
  api: Api,
  there: readonly Remote[],
  name: string,
  config: FunctionConfig,
): Promise<Put> {
  const [found, another] = there.filter((one) => one.name === name)
  if (another) throw new Failure(`The project has several functions called “${name}”: give them different names.`)
  const { folder: _folder, buildCommand: _command, ...wanted } = config
  if (!found) {
    const { createFunction } = await api.request<{ createFunction: Remote }>(
      `mutation ($input: CreateFunctionInput!) { createFunction(input: $input) { ${fields} } }`,
      { input: { name, ...wanted } },
    )
    return { remote: createFunction, did: 'created' }
  }
  const different = Object.entries(wanted).filter(([key, value]) => !isSame(value, found[key as keyof Settings]))
  if (different.length === 0) return { remote: found, did: 'as it was' }
  const { updateFunction } = await api.request<{ updateFunction: Remote }>(
    `mutation ($input: UpdateFunctionInput!) { updateFunction(input: $input) { ${fields} } }`,
    { input: { id: found.id, ...Object.fromEntries(different) } },
  )
  return { remote: updateFunction, did: 'changed' }
}

/** Whether what is wanted is there. The order of a list of words is of no account; what a hook does not say may be anything. */
function isSame(wanted: unknown, there: unknown): boolean {
  if (!Array.isArray(wanted) || !Array.isArray(there)) return wanted === there
  if (wanted.some((one) => typeof one === 'object'))
    return (
      wanted.length === there.length &&
      wanted.every((one, i) => Object.entries(one).every(([key, value]) => there[i]?.[key] === value))
    )
  return JSON.stringify([...wanted].sort()) === JSON.stringify([...there].sort())
}
