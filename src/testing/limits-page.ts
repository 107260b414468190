import { costLimits, limits } from '../http/limits.ts'
import { replicaLimits } from '../platform/replica.ts'
import { count, documents, kept, prices, project, type Row, request, seconds, time } from './limits-rows.ts'
import { container, functions, isolate } from './limits-rows-functions.ts'

const table = (rows: readonly Row[]) =>
  `| what | most |\n|---|---|\n${rows.map(([what, most]) => `| ${what} | ${most} |`).join('\n')}`

/** `docs/guides/limits.md`. */
export function limitsPage(): string {
  return `# Limits

What goes beyond a limit is refused with \`LIMIT_EXCEEDED\` or \`INVALID\` and a sentence that names it. Nothing is cut short in silence.

## One request

${table(request)}

## What an operation costs

The cost of an operation is known before it runs: what it may read and write at most, by its text, its variables and nothing else.
Every answer tells it: \`"extensions": { "cost": { "requested": 27, "limit": ${costLimits.client} } }\`. One that asks for more than its limit is not run.

| what | cost |
|---|---|
${prices.map(([what, price]) => `| ${what} | ${price} |`).join('\n')}

A page counts as many things as \`first\` or \`last\` says, ${limits.page.initial} if neither does, and what is asked of its things counts for each of them:
\`posts(first: 10) { nodes { author { name } } }\` costs 1 + 10 × (1 + 1) = 21. Other fields are free. What \`@skip\` and \`@include\` leave out counts all
the same. A subscription costs what one of its events does.

| who asks | limit |
|---|---|
| end users and guests | ${count(costLimits.client)} |
| API keys | ${count(costLimits.server)} |
| members of the project | ${count(costLimits.console)} |

An owner sets others for a project with \`updateProject(input: { id, costLimits: { client, server, console } })\`, up to ${count(costLimits.most)}.

Introspection has a budget of its own, ${count(limits.introspectionCost)}, the same for everybody: what tools ask costs two thirds of it.

## A project

${table(project)}

## Documents

${table(documents)}

## A run in an isolate

${table(isolate)}

## A function in a container

Answers, lines and calls have the limits of isolates. What the archive may hold goes for the built folder, too.

${table(container)}

## Hooks, and URLs of functions

${table(functions)}

## What is kept, and for how long

Every ten minutes one worker deletes what is older, in small steps.

| what | kept for | set by |
|---|---|---|
${kept.map((row) => `| ${row.join(' | ')} |`).join('\n')}

## Time and load

${table(time)}

A node that has too much to do answers \`UNAVAILABLE\` at once, with \`retryAfterMs\` and, over HTTP, 503 and \`Retry-After\`. Members of a project are let in
until it is ${limits.load.membersTimes} times as much; \`/health\` and \`/health/ready\` always answer, on a connection of their own.

A project that is alone may run ${limits.load.alone} operations at a time on a node, and ${limits.load.beside} while others ask too (the members of a project are counted
apart from its clients). Of the node's connections it may use all but one, and a quarter beside others. What is beyond that waits for its turn,
and a project that asks many things at once is heard once in each pass of the event loop, so that others are heard in between.

With \`DATABASE_REPLICA_URL\`, queries of documents are answered by a standby that is near enough, and by the primary when it is not. Who has written
through a node reads the primary there for ${seconds(replicaLimits.lagMs)}. What others write, and whom they let read it, may be seen so much later.
`
}
