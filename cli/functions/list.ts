import { type Command, print } from '../command.ts'
import { listFunctions } from './remote.ts'

export const functionsList: Command = {
  name: 'functions list',
  usage: '[--json]',
  summary: "Lists the project's functions, and what is run of each.",
  options: { json: { type: 'boolean', says: 'as JSON, for programs' } },
  words: 0,
  run: async ({ values, api }) => {
    const found = await listFunctions(api())
    if (values.json) print(JSON.stringify(found, null, 2))
    else for (const one of found) print(lineOf(one))
    return 0
  },
}

function lineOf({
  id,
  name,
  runtime,
  deploymentId,
  enabled,
}: Awaited<ReturnType<typeof listFunctions>>[number]): string {
  const state = deploymentId === null ? 'no deployment' : enabled ? deploymentId : `${deploymentId}, disabled`
  return [id, name, runtime, state].join('\t')
}
