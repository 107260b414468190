import { type ParseArgsOptionDescriptor, parseArgs } from 'node:util'
import { type Api, createApi } from './api.ts'
import { Failure } from './failure.ts'

export type Values = Readonly<Record<string, string | boolean | undefined>>

export type Asked = {
  values: Values
  words: readonly string[]
  /** The project that is meant. Throws Failure with what is missing. */
  api: () => Api
}

/** What `--help` says of each option stands with it. */
export type Options = Readonly<Record<string, ParseArgsOptionDescriptor & { says: string }>>

export type Command = {
  /** `schema pull`. */
  name: string
  /** What stands behind the name: `COLLECTION [--out FILE]`. */
  usage: string
  summary: string
  options: Options
  /** How many words it takes. */
  words: number
  /** How many more may follow. */
  optionalWords?: number
  /** Answers the exit code. */
  run: (asked: Asked) => Promise<number>
}

/** Those that every command takes. */
export const shared = {
  url: { type: 'string', says: 'where Tendril is, like http://localhost:4000 (TENDRIL_URL)' },
  project: { type: 'string', says: 'which project (TENDRIL_PROJECT)' },
  key: { type: 'string', says: "an API key, or a member's session (TENDRIL_KEY)" },
  help: { type: 'boolean', short: 'h', says: 'what the command takes' },
} satisfies Options

/** Reads what was typed behind the name of a command. Throws Failure with its usage. */
export function readAsked(
  command: Command,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Asked & { help: boolean } {
  const usage = `Usage: tendril ${command.name} ${command.usage}`.trimEnd()
  const { values, positionals } = parse(command, args, usage)
  const isTooMany = positionals.length > command.words + (command.optionalWords ?? 0)
  if (!values.help && (positionals.length < command.words || isTooMany)) throw new Failure(usage)
  const given = values as Values
  const read = (option: string, variable: string) => {
    const value = given[option] ?? env[variable]
    if (typeof value === 'string' && value !== '') return value
    throw new Failure(`Say which ${option}: --${option} or ${variable}.`)
  }
  return {
    values: given,
    words: positionals,
    help: values.help === true,
    api: () => {
      const url = read('url', 'TENDRIL_URL')
      if (!URL.canParse(url) || !/^https?:/.test(url)) throw new Failure(`--url is no URL: ${url}`)
      return createApi({ url, project: read('project', 'TENDRIL_PROJECT'), key: read('key', 'TENDRIL_KEY') })
    },
  }
}

function parse(command: Command, args: readonly string[], usage: string) {
  try {
    return parseArgs({ args: [...args], options: { ...shared, ...command.options }, allowPositionals: true })
  } catch (error) {
    throw new Failure(`${(error as Error).message.split('. ')[0]}.\n${usage}`)
  }
}

/** Whether a value of an option is one of these. */
export function choose<Choice extends string>(
  values: Values,
  option: string,
  choices: readonly Choice[],
): Choice | undefined {
  const value = values[option]
  if (value === undefined) return undefined
  const found = choices.find((choice) => choice === value)
  if (!found) throw new Failure(`--${option} is one of ${choices.join(', ')}.`)
  return found
}

/** What a command was asked for. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** What it tells beside that. */
export function tell(text: string): void {
  process.stderr.write(`${text}\n`)
}
