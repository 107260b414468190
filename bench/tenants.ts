/**
 * `npm run bench:tenants`: 1,000 projects of 20 collections on one API node: how long the first query of a project takes, what
 * the node holds when all were asked, and what one project notices of another that asks a lot.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { apiOptions } from '../src/node-options.ts'
import type { Seen } from './api.ts'
import { compareBeside } from './beside.ts'
import { ask, type Peer } from './client.ts'
import type { Load, Measured } from './load.ts'
import { type Options, type Outcome, runBenchmark } from './options.ts'
import { type Part, startPart } from './parts.ts'
import { createProject, type Project } from './projects.ts'
import { median, percentile, round, say } from './say.ts'
import { type Ground, prepareGround } from './servers.ts'

const usage = 'npm run bench:tenants -- [--json] [--quick] [--rounds 5] [--seconds 10]'

const query = '{ thing3s(first: 5, orderBy: [{ field2: ASC }]) { nodes { id field1 field2 parent { id } } } }'

type Stage = { api: Part; neighbour: Part; noise: Part; projects: readonly Project[] }

async function createProjects({ world }: Ground, count: number): Promise<Project[]> {
  const projects: Project[] = []
  const size = { collections: 20, attributes: 6 }
  // What is made here need not outlive the machine.
  await world.app.sql.query('alter system set synchronous_commit = off')
  await world.app.sql.query('select pg_reload_conf()')
  const makeSome = async () => {
    for (let left = count / 2; left > 0; left--) {
      projects.push(await createProject(world, size))
      if (projects.length % 100 === 0) say(`  ${projects.length} of ${count} projects`)
    }
  }
  await Promise.all([makeSome(), makeSome()])
  await world.app.sql.query('analyze')
  return projects
}

const peerOf = ({ api }: Stage, { id }: Project): Peer => ({ url: `${api.told.url}/projects/${id}/graphql` })

/** The first query of each of these, one after the other. */
async function askFirst(stage: Stage, projects: readonly Project[]): Promise<number[]> {
  const times: number[] = []
  for (const project of projects) {
    const begun = performance.now()
    await ask(peerOf(stage, project), { query })
    times.push(performance.now() - begun)
  }
  return times
}

async function askAll(stage: Stage, projects: readonly Project[]): Promise<number> {
  const left = [...projects]
  const askSome = async () => {
    for (let project = left.pop(); project; project = left.pop()) await ask(peerOf(stage, project), { query })
  }
  await Promise.all([askSome(), askSome(), askSome(), askSome()])
  return (await stage.api.ask<Seen>('look')).rssMb
}

/** What one project's requests notice of another that asks 500 times a second, on 16 connections at once. */
async function measureNeighbour(stage: Stage, options: Options) {
  const [quiet, noisy] = stage.projects
  if (!quiet || !noisy) throw new Error('There are no two projects.')
  const bodies = [JSON.stringify({ query })]
  const job = { ...peerOf(stage, quiet), bodies, connections: 4, perSecond: 200 }
  const noise: Load = { ...peerOf(stage, noisy), bodies, connections: 16, seconds: 1.5, perSecond: 500, together: true }
  let made = 0
  const disturb = async () => {
    const running = stage.noise.ask<Measured>(noise)
    await sleep(100)
    return async () => {
      made = (await running).rps
    }
  }
  const { ratios, failures } = await compareBeside(stage.neighbour, job, options, { 'the other project': disturb })
  say(`the other project asked ${round(made, 0)} times a second`)
  return {
    ratio: ratios['the other project'],
    broken: failures.slice(0, 1).map((answer) => `A quiet project was refused: ${answer}`),
  }
}

async function measure(stage: Stage, options: Options): Promise<Outcome> {
  const { projects } = stage
  // What a node does once for all projects is not counted.
  await askFirst(stage, projects.slice(0, 1))
  const times = await askFirst(stage, projects.slice(1, 101))
  say(`first query of a project: median ${round(median(times))} ms, p95 ${round(percentile(times, 0.95))} ms`)
  const rssMb = await askAll(stage, projects)
  say(`all ${projects.length} projects asked: ${round(rssMb, 0)} MB resident`)
  const { ratio, broken } = await measureNeighbour(stage, options)
  const figures = {
    coldQueryMs: round(median(times)),
    coldQueryP95Ms: round(percentile(times, 0.95)),
    rssMb: round(rssMb, 0),
    neighbourP99Ratio: round(ratio),
  }
  return { figures, broken }
}

async function run(options: Options): Promise<Outcome> {
  const ground = await prepareGround(say)
  const parts: Part[] = []
  const start = async (...args: Parameters<typeof startPart>) => {
    const part = await startPart(...args)
    parts.push(part)
    return part
  }
  try {
    const count = options.quick ? 10 : 1000
    say(`making ${count} projects of 20 collections`)
    const projects = await createProjects(ground, count)
    const api = await start('api.ts', {}, ground.env, apiOptions)
    const neighbour = await start('load.ts', {})
    const noise = await start('load.ts', {})
    return await measure({ api, neighbour, noise, projects }, options)
  } finally {
    await Promise.all(parts.map((part) => part.stop()))
    await ground.close()
  }
}

await runBenchmark(usage, { rounds: 5, seconds: 10 }, run)
