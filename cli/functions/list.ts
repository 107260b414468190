import { type Command, print } from '../command.ts'
import { listFunctions, type Remote, urlOf } from './remote.ts'

export const functionsList: Command = {
  name: 'functions list',
  usage: '[--json]',
  summary: "Lists the project's functions, what is run of each, and its URL where somebody may call it.",
  options: { json: { type: 'boolean', says: 'as JSON, for programs' } },
  words: 0,
  run: async ({ values, api }) => {
    const server = api()
    const found = (await listFunctions(server)).map((one) => ({ ...one, url: urlOf(server, one) }))
    if (values.json) print(JSON.stringify(found, null, 2))
    else for (const one of found) print(lineOf(one))
    return 0
  },
}

function lineOf({ id, name, runtime, deploymentId, enabled, url }: Remote & { url: string | null }): string {
  const state = deploymentId === null ? 'no deployment' : enabled ? deploymentId : `${deploymentId}, disabled`
  return [id, name, runtime, state, ...(url ? [url] : [])].join('\t')
}
