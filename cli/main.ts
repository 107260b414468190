/** `tendril`: works on a project's databases and functions over the public API. `commands.ts` has the list. */
import { readFileSync } from 'node:fs'
import { type Command, print, readAsked, tell } from './command.ts'
import { commands } from './commands.ts'
import { Failure } from './failure.ts'

const shared = `  --url URL          where Tendril is, like http://localhost:4000   (TENDRIL_URL)
  --project ID       which project                                  (TENDRIL_PROJECT)
  --key SECRET       an API key, or a member's session              (TENDRIL_KEY)`

function help(): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return `Usage: tendril COMMAND [options]\n\n${lines.join('\n')}\n\n${shared}\n\n\`tendril COMMAND --help\` says what a command takes.`
}

function helpOf({ name, usage, summary }: Command): string {
  return `Usage: tendril ${`${name} ${usage}`.trimEnd()}\n\n${summary}\n\n${shared}`
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
