/** `node src/testing/docker/measure.ts [runtimes]`: what a build, a cold start and a warm run take in each language, on an engine of its own. */
import { languages } from './contract.ts'
import { startDocker } from './engine.ts'
import { buildFunction, testEngine, untilReady } from './function.ts'

const colds = 9
const warms = 300

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10
}

const named = process.argv.slice(2)
const chosen = Object.values(languages)
  .flat()
  .filter(({ runtime }) => named.length === 0 || named.includes(runtime))
const names = chosen.map(({ runtime }) => runtime)
const docker = await startDocker([...names, 'debian'])
const engine = testEngine({ DOCKER_HOST: docker.url, DOCKER_RUNTIMES: names.join() })
try {
  for (const { runtime, folder, entrypoint } of chosen) {
    await untilReady(engine, runtime)
    const timed: { builds: number[]; cold: number[]; warm: number[] } = { builds: [], cold: [], warm: [] }
    const build = async () => {
      const begun = performance.now()
      const built = await buildFunction(engine, runtime, folder, entrypoint)
      timed.builds.push(performance.now() - begun)
      return built
    }
    await build()
    await build()
    const { run } = await build()
    const { end: first } = await run('/env')
    for (let i = 0; i < colds; i++) {
      await run('/exit')
      timed.cold.push((await run('/env')).end.durationMs)
    }
    for (let i = 0; i < warms; i++) timed.warm.push((await run('/env')).end.durationMs)
    const { memoryBytes } = (await run('/env')).end
    const [buildMs, coldP50Ms, warmP50Ms] = [timed.builds, timed.cold, timed.warm].map(median)
    const firstMs = Math.round(first.durationMs)
    console.log(
      JSON.stringify({
        runtime,
        buildMs,
        firstMs,
        coldP50Ms,
        warmP50Ms,
        memoryMb: Math.round((memoryBytes ?? 0) / 1e6),
      }),
    )
  }
} finally {
  await engine.close()
  await docker.stop()
}
