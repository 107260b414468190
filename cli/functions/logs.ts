import { type Command, print } from '../command.ts'
import { Failure } from '../failure.ts'
import { type Execution, followExecutions, lastExecutions, mostListed } from './executions.ts'
import { listFunctions } from './remote.ts'

export const functionsLogs: Command = {
  name: 'functions logs',
  usage: '<FUNCTION> [--last COUNT] [--follow] [--json]',
  summary: 'Tells the last runs of a function, by its name or id, with what they have logged and what went wrong.',
  options: {
    last: { type: 'string', says: 'how many runs to begin with; 20, if left out' },
    follow: { type: 'boolean', short: 'f', says: 'tell every run that ends until it is stopped' },
    json: { type: 'boolean', says: 'a line of JSON for each run, for programs' },
  },
  words: 1,
  run: async ({ values, words: [wanted = ''], api }) => {
    const count = Number(values.last ?? 20)
    if (!Number.isInteger(count) || count < 1 || count > mostListed) throw new Failure(`--last is 1 to ${mostListed}.`)
    const server = api()
    const [found, another] = (await listFunctions(server)).filter(({ id, name }) => id === wanted || name === wanted)
    if (!found) throw new Failure(`The project has no function “${wanted}”.`)
    if (another) throw new Failure(`The project has several functions called “${wanted}”: give the id of one.`)
    const tellOf = (one: Execution) => print(values.json ? jsonOf(one) : textOf(one))
    if (!values.follow) for (const one of await lastExecutions(server, found.id, count)) tellOf(one)
    else for await (const one of followExecutions(server, found.id, count)) tellOf(one)
    return 0
  },
}

/** A line of what it was, and below it what it said. */
function textOf(one: Execution): string {
  const { id, status, trigger, attempts, method, path, responseStatus, failure, durationMs, isCold, createdAt } = one
  const head = [
    createdAt,
    id,
    failure === null ? status : `${status} ${failure}`,
    trigger,
    `${method} ${path}`,
    ...(responseStatus === null ? [] : [`${responseStatus}`]),
    ...(durationMs === null ? [] : [`${durationMs} ms${isCold ? ' cold' : ''}`]),
    ...(attempts > 1 ? [`try ${attempts}`] : []),
    ...(status === 'PENDING' && one.scheduledAt !== null ? [`next at ${one.scheduledAt}`] : []),
  ]
  const said = one.logs.map(({ at, level, text }) => `${at} ${level === 'ERROR' ? 'error ' : ''}${text}`)
  const lines = [...said, ...(one.error === null ? [] : [one.error])].flatMap((text) => text.split('\n'))
  return [head.join('  '), ...lines.map((line) => `  ${line}`)].map(printable).join('\n')
}

/** What a function says must not move the cursor of whoever reads it. */
function printable(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return line.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\uFFFD')
}

/** The same, for terminals that take more than JSON's own for commands. */
function jsonOf(one: Execution): string {
  return JSON.stringify(one).replace(/[\u007f-\u009f]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`)
}
