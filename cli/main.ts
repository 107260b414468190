/** `tendril`: works on a project's databases and functions over the public API. `commands.ts` has the list. */
import { readFileSync } from 'node:fs'
import { type Command, type Options, print, readAsked, shared, tell } from './command.ts'
import { commands } from './commands.ts'
import { Failure } from './failure.ts'

function help(): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return `Usage: tendril COMMAND [options]\n\n${lines.join('\n')}\n\n${linesOf(shared)}\n\n\`tendril COMMAND --help\` says what a command takes.`
}

function helpOf({ name, usage, summary, options }: Command): string {
  return `Usage: tendril ${`${name} ${usage}`.trimEnd()}\n\n${summary}\n\n${linesOf({ ...options, ...shared })}`
}

function linesOf(options: Options): string {
  const width = Math.max(...Object.keys(options).map((name) => name.length))
  return Object.entries(options)
    .map(([name, { says }]) => `  --${name.padEnd(width)}  ${says}`)
    .join('\n')
}

/** The command that these words begin with, the longest name first. */
function findCommand(args: readonly string[]): Command {
  const found = commands
    .filter(({ name }) => name === args.slice(0, name.split(' ').length).join(' '))
    .sort((a, b) => b.name.length - a.name.length)[0]
  if (found) return found
  throw new Failure(`There is no command “${args.slice(0, 2).join(' ')}”. \`tendril help\` lists them.`)
}

function version(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
}

async function main(args: readonly string[]): Promise<number> {
  const [first = 'help', ...rest] = args
  if (first === '--version') print(version())
  else if (['help', '--help', '-h'].includes(first)) print(rest.length === 0 ? help() : helpOf(findCommand(rest)))
  else {
    const command = findCommand(args)
    const asked = readAsked(command, args.slice(command.name.split(' ').length), process.env)
    if (!asked.help) return command.run(asked)
    print(helpOf(command))
  }
  return 0
}

// Whoever reads it has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (!(error instanceof Failure)) throw error
  tell(`tendril: ${error.message}`)
  process.exitCode = 1
}
