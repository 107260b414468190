import { maxArtefactBytes } from '../../functions-runtime/docker/build.ts'
import { containerLimits } from '../../functions-runtime/docker/container.ts'
import { readDockerSettings } from '../../functions-runtime/docker/settings.ts'
import { limits as runLimits } from '../../functions-runtime/isolate/messages.ts'
import { limits } from '../http/limits.ts'
import { hookMessageCharacters } from '../modules/executions/decide.ts'
import { hookLimits } from '../modules/functions/hooks.ts'
import { maxFetchedBytes, maxRedirects } from '../platform/egress.ts'
import { bytes, count, type Row } from './limits-rows.ts'

export const functions: readonly Row[] = [
  ['a body that is sent to the URL of a function', bytes(limits.functionBodyBytes)],
  ['how much of an answer may wait for its reader; then it is cut', bytes(limits.functionBacklogBytes)],
  [
    'requests to the URLs of functions at a time on one node: of a project, in all',
    `${count(limits.functionCalls.ofProject)}, ${count(limits.functionCalls.ofNode)}`,
  ],
  ['hooks of a function', count(hookLimits.rules)],
  ['how long a change waits for a hook', `${hookLimits.leastMs} to ${count(hookLimits.mostMs)} ms, as its hook says`],
  ['what a hook says why it refuses', `${hookMessageCharacters} characters`],
]

const { containers, buildMemoryMb, buildDiskMb } = readDockerSettings({})
export const container: readonly Row[] = [
  ['containers of functions on an engine (`DOCKER_CONTAINERS`)', count(containers)],
  [
    'of these, with runs of one project, which also begins another only where more are left than it has',
    count(Math.ceil(containers / 2)),
  ],
  ['processes and threads in one', count(containerLimits.processes)],
  ['open files of a process', count(containerLimits.files)],
  ['what it keeps in `/tmp`', `${containerLimits.tmpMb} MB`],
  ['memory of a build (`BUILD_MEMORY_MB`)', `${count(buildMemoryMb)} MB`],
  ['disk of a build (`BUILD_DISK_MB`)', `${count(buildDiskMb)} MB`],
  ['a built folder, packed', bytes(maxArtefactBytes)],
]

export const isolate: readonly Row[] = [
  [
    'runs of a project on one executor at once; and those that wait',
    `${count(runLimits.runs)}; ${count(runLimits.waiting)}`,
  ],
  ["a function's answer in one piece", bytes(runLimits.answerBytes)],
  ['an answer that is streamed', bytes(runLimits.streamedBytes)],
  ['headers of an answer', `${count(runLimits.headers)}, ${bytes(runLimits.headerBytes)}`],
  ['lines of a log and their text', `${count(runLimits.logLines)}, ${bytes(runLimits.logBytes)}`],
  ['calls by `fetch` and `graphql` that are under way', count(runLimits.effects)],
  ['timers, calls and computations that a run waits for', count(runLimits.pending)],
  ['streams of a run that pack or unpack', count(runLimits.zips)],
  [
    'an answer to `fetch`, and how often it may be redirected',
    `${bytes(maxFetchedBytes)}, ${count(maxRedirects)} times`,
  ],
]
