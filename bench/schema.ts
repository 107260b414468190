/**
 * `npm run bench:schema`: a project of 200 collections with 10 attributes each, whose schema an API node makes, and makes
 * anew after each change, while others use the same node.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { apiOptions } from '../src/node-options.ts'
import { startRelay } from '../workers/relay.ts'
import type { Seen } from './api.ts'
import { compareBeside } from './beside.ts'
import { ask, createKey, type Peer } from './client.ts'
import { type Options, type Outcome, runBenchmark } from './options.ts'
import { type Part, startPart } from './parts.ts'
import { createProject, type Project } from './projects.ts'
import { median, round, say } from './say.ts'
import { awaitAttribute, toggleAttribute } from './schema/changes.ts'
import { type Socket, subscribe } from './schema/socket.ts'
import { type Ground, prepareGround } from './servers.ts'

const usage = 'npm run bench:schema -- [--json] [--quick] [--rounds 5] [--seconds 10]'

type Stage = {
  ground: Ground
  api: Part
  load: Part
  project: Project
  /** As large, but nobody asks the node for it: a change of it costs what PostgreSQL, relay and this process do for one. */
  unasked: Project
  peer: Peer
  other: Peer
}

const firstPage = JSON.stringify({ query: '{ thing0s(first: 5) { nodes { id field1 } } }' })

/** Changes one attribute. Each change is another collection's. */
async function toggle({ ground }: Stage, project: Project, count: number) {
  const place = 1 + (Math.floor(count / 2) % (project.collectionIds.length - 1))
  return { place, expected: await toggleAttribute(ground.world, project, place) }
}

/** The same, and waits until the node knows. */
async function change(stage: Stage, count: number): Promise<void> {
  const { place, expected } = await toggle(stage, stage.project, count)
  await awaitAttribute(stage.peer, place, expected)
}

/** How long nothing else could be done on the node, by one change. */
async function measureReplacing(stage: Stage, changes: number) {
  const seen: Seen[] = []
  for (let i = 0; i < changes; i++) {
    await sleep(100)
    await stage.api.ask<Seen>('look')
    await change(stage, i)
    seen.push(await stage.api.ask<Seen>('look'))
  }
  return {
    blockedMs: median(seen.map(({ blockedMs }) => blockedMs)),
    schemaMs: median(seen.map(({ schemaMs }) => schemaMs)),
  }
}

/** The growth of the node's heap by many changes, after as many as fill what is kept. */
async function measureGrowth(stage: Stage, changes: number): Promise<number> {
  for (let i = 0; i < changes / 10; i++) await change(stage, i)
  const before = await stage.api.ask<{ heapMb: number }>('weigh')
  for (let i = 0; i < changes; i++) await change(stage, i)
  const after = await stage.api.ask<{ heapMb: number }>('weigh')
  return after.heapMb - before.heapMb
}

/** Begins one change a second. They come in pairs: what was added is taken away again. */
function changing(changeOnce: (count: number) => Promise<unknown>) {
  let count = 0
  return async () => {
    let over = false
    const running = (async () => {
      for (; !over || count % 2 === 1; count++) {
        const begun = performance.now()
        await changeOnce(count)
        if (!over) await sleep(Math.max(0, 1000 - (performance.now() - begun)))
      }
    })()
    return async () => {
      over = true
      await running
    }
  }
}

/** What another project's requests notice of one change a second, and what of one of a project that the node does not serve. */
async function measureOthers(stage: Stage, options: Options) {
  const job = { ...stage.other, bodies: [firstPage], connections: 4, perSecond: 200 }
  const { ratios, failures } = await compareBeside(stage.load, job, options, {
    changes: changing((count) => change(stage, count)),
    'unasked changes': changing((count) => toggle(stage, stage.unasked, count)),
  })
  if (failures.length > 0) throw new Error(`The other project was answered ${failures[0]}`)
  return ratios
}

async function measure(stage: Stage, options: Options): Promise<Outcome> {
  // What a node does once for all projects is not counted.
  await ask(stage.other, { query: '{ thing0s(first: 5) { nodes { id field1 } } }' })
  await stage.api.ask<Seen>('look')
  await ask(stage.peer, { query: '{ thing5s(first: 5) { nodes { id field1 } } }' })
  const first = await stage.api.ask<Seen>('look')
  say(`first build ${round(first.schemaMs)} ms, of which ${round(first.blockedMs)} ms in one piece`)
  const socket = await subscribe(stage.peer, 'subscription { thing0Changed { kind node { id field1 } } }')
  const replaced = await measureReplacing(stage, options.quick ? 2 : 20)
  say(`replaced: ${round(replaced.blockedMs)} ms blocked, ${round(replaced.schemaMs)} ms until it was there`)
  const ratios = await measureOthers(stage, options)
  const changes = options.quick ? 20 : 200
  const growth = await measureGrowth(stage, changes)
  say(`${changes} changes: the heap grew by ${round(growth)} MB`)
  const broken = await checkSocket(stage, socket)
  const figures = {
    firstBuildMs: round(first.schemaMs),
    replaceMs: round(replaced.blockedMs),
    memoryGrowthMb: round(growth),
    otherTrafficP99Ratio: round(ratios.changes),
    unaskedP99Ratio: round(ratios['unasked changes']),
  }
  return { figures, broken }
}

/** The subscription of the beginning still brings what happens. */
async function checkSocket({ peer }: Stage, socket: Socket): Promise<string[]> {
  await ask(peer, { query: 'mutation { createThing0(input: { field1: 1 }) { id } }' })
  const came = await socket.waitFor(1, 5_000)
  const lost = socket.lost()
  socket.close()
  if (lost !== null) return [`A socket was lost: ${lost}.`]
  return came ? [] : ['A subscription brings nothing any more.']
}

async function run(options: Options): Promise<Outcome> {
  const ground = await prepareGround(say)
  const parts: Part[] = []
  const start = async (...args: Parameters<typeof startPart>) => {
    const part = await startPart(...args)
    parts.push(part)
    return part
  }
  const relay = startRelay(ground.world.app)
  try {
    say('making projects')
    const size = { collections: options.quick ? 20 : 200, attributes: 10 }
    const project = await createProject(ground.world, size)
    const unasked = await createProject(ground.world, size)
    const neighbour = await createProject(ground.world, { collections: 5, attributes: 10 })
    const api = await start('api.ts', {}, ground.env, [...apiOptions, '--expose-gc'])
    const peerOf = async ({ id }: Project) => ({
      url: `${api.told.url}/projects/${id}/graphql`,
      authorization: await createKey(ground.world, id),
    })
    const load = await start('load.ts', {})
    const stage = { ground, api, load, project, unasked, peer: await peerOf(project), other: await peerOf(neighbour) }
    return await measure(stage, options)
  } finally {
    await Promise.all(parts.map((part) => part.stop()))
    await relay.stop()
    await ground.close()
  }
}

await runBenchmark(usage, { rounds: 5, seconds: 10 }, run)
