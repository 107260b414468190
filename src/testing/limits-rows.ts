import { archiveLimits } from '../../functions-runtime/build/archive.ts'
import { artefactBytes } from '../../functions-runtime/build/bundle.ts'
import { openMs } from '../context.ts'
import { answerBytes } from '../documents/answer-size.ts'
import { positionLimit } from '../documents/geometry.ts'
import { grantLimit } from '../documents/grants.ts'
import { documentBytes } from '../documents/input.ts'
import { liveBytes } from '../documents/live/groups.ts'
import { vectorDimensions } from '../documents/numbers.ts'
import { stepLimit } from '../documents/operators-json.ts'
import { patternLimit as regexLimit } from '../documents/operators-text.ts'
import { greatestOffset } from '../documents/page.ts'
import { wordsLimit } from '../documents/search.ts'
import { mostTaken } from '../documents/taken.ts'
import { jsonBytes } from '../documents/texts.ts'
import { listLimit } from '../documents/values.ts'
import { bulkLimit } from '../documents/writing.ts'
import { readEnv, variables } from '../env.ts'
import { costs, limits } from '../http/limits.ts'
import { attemptLimits } from '../modules/accounts/attempts.ts'
import { maxVerifications } from '../modules/accounts/verifications.ts'
import { attributeLimit } from '../modules/attributes/attributes.ts'
import { depthLimit, expressionLimit, mentionLimit } from '../modules/attributes/expressions.ts'
import {
  patternLimit as attributePattern,
  elementLimit,
  sizeLimit,
  uniqueSizeLimit,
} from '../modules/attributes/shape.ts'
import { collectionLimit } from '../modules/collections/collections.ts'
import { databaseLimit } from '../modules/databases/databases.ts'
import { descriptionLimit } from '../modules/databases/names.ts'
import { replayLimit } from '../modules/deliveries/replays.ts'
import { deploymentLimits } from '../modules/deployments/limits.ts'
import { domainLimit } from '../modules/domains/domains.ts'
import { runsAtATime } from '../modules/executions/jobs.ts'
import { keptLimits } from '../modules/executions/outcome.ts'
import { requestLimits } from '../modules/executions/request.ts'
import { maxDepth } from '../modules/executions/run.ts'
import { waitingLimits } from '../modules/executions/waiting.ts'
import { functionLimit, isolateMb, patternLimit } from '../modules/functions/functions.ts'
import { executeLimit } from '../modules/functions/rights.ts'
import { indexLimit } from '../modules/indexes/indexes.ts'
import { mailLimits } from '../modules/mails/mails.ts'
import { keepJobsMs, keepLogHours, retentions } from '../modules/maintenance/retentions.ts'
import { permissionLimit } from '../modules/permissions/grants.ts'
import { presenceLimits } from '../modules/presence/presence.ts'
import { ruleLimits } from '../modules/presence/rules.ts'
import { versionLimit } from '../modules/schema-versions/schema-versions.ts'
import { maxSessions } from '../modules/sessions/sessions.ts'
import { projectSubscriptions } from '../modules/subscriptions/running.ts'
import { maxLate, maxMissed, missedAfterMs } from '../modules/tasks/runs.ts'
import { variableBytes, variableLimit, variablesBytes } from '../modules/variables/variables.ts'
import { webhookLimit } from '../modules/webhooks/webhooks.ts'
import { poolLimits } from '../platform/db.ts'
import { replicaLimits } from '../platform/replica.ts'
import { shareLimits } from '../platform/shares.ts'

/** What is limited, and the most of it. */
export type Row = readonly [what: string, most: string]

export const seconds = (ms: number) => `${ms / 1_000} s`
export const count = (n: number) => n.toLocaleString('en-US')
export const bytes = (n: number) => `${count(n)} bytes`
const minutes = (ms: number) => `${ms / 60_000} minutes`

const age = (ms: number) => {
  const hours = ms / 3_600_000
  if (hours === 0) return 'not at all'
  return hours % 24 === 0 && hours > 24 ? `${hours / 24} days` : `${hours} ${hours === 1 ? 'hour' : 'hours'}`
}

const { SOCKETS_PER_NODE, SOCKETS_PER_PROJECT, SOCKETS_PER_ADDRESS } = variables
const sockets = [SOCKETS_PER_NODE, SOCKETS_PER_PROJECT, SOCKETS_PER_ADDRESS].map((one) => one.parse(undefined))

export const request: readonly Row[] = [
  ['a body of JSON, one WebSocket message', bytes(limits.bodyBytes)],
  ['a URL', bytes(limits.urlBytes)],
  ['headers and URL together', bytes(limits.headerBytes)],
  ['operations in one body', count(limits.batch)],
  ['the text of an operation', `${count(limits.queryCharacters)} characters, ${count(limits.tokens)} tokens`],
  ['levels of things: a post, its author, their posts', count(limits.levels)],
  ['levels of fields', count(limits.depth)],
  ['fields and fragments, as often as they are spread', count(limits.selections)],
  ['fields at the root', count(limits.rootFields)],
  ['aliases', count(limits.aliases)],
  ['lists and objects within each other in a value', count(limits.valueDepth)],
  ['keys and elements in the variables', count(limits.values)],
  ['values in a list of a filter', count(listLimit)],
  ['operations that one socket runs at a time', count(limits.socketOperations)],
  [
    'messages and bytes that may wait to be read by its other end',
    `${count(limits.socketBacklogMessages)}, ${bytes(limits.socketBacklogBytes)}`,
  ],
  [
    'sockets of one process, of a project in it, from an address',
    `${sockets.map(count).join(', ')} (\`SOCKETS_PER_…\`)`,
  ],
]

export const project: readonly Row[] = [
  ['databases of a project', count(databaseLimit)],
  ['collections of a project', count(collectionLimit)],
  ['attributes of a collection', count(attributeLimit)],
  ['a description of a collection or an attribute', `${count(descriptionLimit)} characters`],
  ['indexes of a collection', count(indexLimit)],
  ['migrations of a project', count(versionLimit)],
  ['webhooks of a project', count(webhookLimit)],
  [
    'an archive of a deployment; its files and folders',
    `${bytes(deploymentLimits.sourceBytes)}; ${count(archiveLimits.entries)}`,
  ],
  [
    'its bytes when it is unpacked',
    `${bytes(archiveLimits.unpackedBytes)}, and ${archiveLimits.ratio} times as many where that is more than ${bytes(archiveLimits.smallBytes)}`,
  ],
  ['archives and artefacts of a project', bytes(deploymentLimits.projectBytes)],
  ['code of a function that is given as text', bytes(deploymentLimits.inlineBytes)],
  ['what is built for an isolate, its source map included', bytes(artefactBytes)],
  [
    'a build; the characters of its log',
    `${seconds(deploymentLimits.buildMs)}; ${count(deploymentLimits.logCharacters)}`,
  ],
  ['deployments of a function that wait to be built', count(deploymentLimits.waiting)],
  [
    'deployments of a function that are kept besides the one that is run: ready ones, and failed ones',
    count(deploymentLimits.kept),
  ],
  [
    'uploads of a project under way; that one node takes in at a time',
    `${deploymentLimits.uploads}; ${limits.uploads}`,
  ],
  ['functions of a project', count(functionLimit)],
  [
    'roles that may run a function; patterns of events that it is run for',
    `${count(executeLimit)}; ${count(patternLimit)}`,
  ],
  ['memory of a function in an isolate', `${isolateMb} MB`],
  ['variables of a function, and of all of a project', count(variableLimit)],
  [
    'the value of a variable, and of all variables of a function, and of a project',
    `${bytes(variableBytes)}, ${bytes(variablesBytes)}`,
  ],
  [
    'the request of an execution: path, headers in number and in all, body',
    `${count(requestLimits.urlCharacters)} characters, ${requestLimits.headers}, ${count(requestLimits.headerCharacters)} characters, ${bytes(requestLimits.bodyBytes)}`,
  ],
  [
    'what is kept of an execution: answer, its headers, logs, lines of them',
    `${bytes(keptLimits.bodyBytes)}, ${keptLimits.headers}, ${bytes(keptLimits.logBytes)}, ${count(keptLimits.logLines)}`,
  ],
  [
    'executions of a project that wait, of those asked for with `async` or `scheduledAt`, and their bodies; where members and keys ask for more',
    [1, waitingLimits.operatorsTimes]
      .map((times) => `${count(waitingLimits.executions * times)}, ${bytes(waitingLimits.bodyBytes * times)}`)
      .join('; '),
  ],
  [
    'runs with `async`, by events and by the clock that one worker has at a time; of a project, which also never has more than half as many as there is room for besides',
    `${runsAtATime.all}; ${runsAtATime.ofProject}`,
  ],
  ['runs of functions that may have led to a run, one through the other', count(maxDepth)],
  ['domains of a project', count(domainLimit)],
  ['failed deliveries that one call of `replayDeliveries` sends again', count(replayLimit)],
  ['mails to one address, from one project in an hour', count(mailLimits.recipientHour)],
  ['mails from one project in an hour; what is more waits', count(mailLimits.projectHour)],
  ['mails that a user may ask for to prove their address, in an hour', count(maxVerifications)],
  ['sessions of a user; the oldest makes room', count(maxSessions)],
  [
    `wrong passwords in ${minutes(attemptLimits.passwordMs)}: for one e-mail address from one IP address; for one e-mail address, from IP addresses that it has not signed in from within ${age(attemptLimits.rememberedMs)}; from one IP address, for e-mail addresses that have not signed in from it`,
    `${attemptLimits.passwordsHere}; ${attemptLimits.passwordsOfAddress}; ${attemptLimits.passwordsOfPlace}`,
  ],
  [`sign-ups from one IP address in ${minutes(attemptLimits.signUpMs)}`, count(attemptLimits.signUpsOfPlace)],
  [
    'who is at one topic; what each says of themselves',
    `${count(presenceLimits.present)}; ${bytes(presenceLimits.dataBytes)}`,
  ],
  ['rules of a project for topics; roles that each names', `${ruleLimits.rules}; ${ruleLimits.roles}`],
  [
    'times of a task that are late and run when a worker is back; older ones are missed',
    `${count(maxLate)}, up to ${seconds(missedAfterMs)} late`,
  ],
  ['missed times of a task that run after all, with `RUN_ALL`: the last so many', count(maxMissed)],
  ['subscriptions of a project on one node', count(projectSubscriptions)],
  [
    'the lists of live queries of a project on one node, beside what each subscriber was told last and has not asked for more since',
    bytes(liveBytes),
  ],
  ['things on one page', `${limits.page.most}, ${limits.page.initial} if nobody says`],
]

export const documents: readonly Row[] = [
  ['a document, as JSON', bytes(documentBytes)],
  ['documents that an operation is answered, in all its fields together', bytes(answerBytes)],
  [
    'documents that one field writes; others that a delete takes along or changes',
    `${count(bulkLimit)}; ${count(mostTaken)}`,
  ],
  ['`offset`', count(greatestOffset)],
  ['a string; one that is unique', `${count(sizeLimit)} characters; ${count(uniqueSizeLimit)} characters`],
  ['what `replace` makes of a text', '1,000,000 characters'],
  ['items of a list', count(listLimit)],
  ['a JSON value; the steps of a path in it', `${bytes(jsonBytes)}; ${count(stepLimit)}`],
  ['positions of a line or a polygon; dimensions of a vector', `${count(positionLimit)}; ${count(vectorDimensions)}`],
  ['values of an enum', count(elementLimit)],
  ['permissions of a collection or an attribute; of a document', `${permissionLimit}; ${grantLimit}`],
  [
    'the pattern of an attribute; that of `regex`; the words of a search',
    [attributePattern, regexLimit, wordsLimit].map((most) => `${count(most)} characters`).join('; '),
  ],
  [
    'the expression of a computed attribute; how often it names attributes; levels of it',
    `${count(expressionLimit)} characters; ${mentionLimit}; ${depthLimit}`,
  ],
]

export const time: readonly Row[] = [
  ['one statement in PostgreSQL', seconds(poolLimits.statementMs)],
  ['a `@transaction`, and a change that is tried again because others stand in its way', seconds(openMs)],
  ['waiting for a connection', seconds(poolLimits.waitMs)],
  ["waiting for a project's turn", seconds(shareLimits.waitMs)],
  ['operations of one project that wait for their turn', count(shareLimits.waiting)],
  ['requests that wait for their turn or for a connection on one node', count(limits.load.waiting)],
  ['how late the timers of a node may be, three times in a row', seconds(limits.load.delayMs)],
  ['how old what a replica answers may be', seconds(replicaLimits.lagMs)],
]

/** The environment as it is where nobody has set anything. */
const unset = readEnv({
  DATABASE_URL: 'postgresql://none',
  REDIS_URL: 'redis://none',
  SECRET_KEYS: Buffer.alloc(32).toString('base64'),
})

export const kept: readonly (readonly [string, string, string])[] = [
  ...retentions.map(({ what, keepMs, said, setBy }) => [what, said ?? age(keepMs(unset)), setBy ?? ''] as const),
  [
    'executions that have ended and were asked for by the API, at a URL or to decide on something',
    `as long as they are among the newest ${count(unset.KEEP_EXECUTIONS)} of their project`,
    '`KEEP_EXECUTIONS`',
  ],
  ['jobs of the queue that were given up', age(keepJobsMs), ''],
  ['days of the event log, after their end', `${keepLogHours} hours, longer while a worker has not read them`, ''],
]

export const prices: readonly (readonly [string, number])[] = [
  ['each thing: a row of a page, the other end of a relation', costs.thing],
  ['`totalCount`', costs.totalCount],
  ['an aggregate', costs.aggregate],
  ['each row that `offset` skips', costs.skipped],
  ['each object in `where`, `having`, `orderBy`, `search`', costs.condition],
  ['each value of a list in them', costs.listValue],
  ...Object.entries(costs.operators).map(([name, price]) => [`\`${name}\` in them`, price] as const),
  ['each field of a mutation', costs.mutation],
  ['each thing that it creates, changes, connects or disconnects', costs.write],
  ['a change of all that match a filter', costs.matching],
]
