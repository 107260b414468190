/** The process of other people's code: `node --no-node-snapshot functions-runtime/main.ts`. It is given no database and no secrets. */
import { createServer } from 'node:http'
import { createArtefacts } from './artefacts.ts'
import { createBroker } from './broker/client.ts'
import { createBuild } from './build.ts'
import { timeCalls } from './calls.ts'
import { createDockerEngine } from './docker/engine.ts'
import { readDockerSettings } from './docker/settings.ts'
import { createExecutor } from './executor.ts'
import { createIsolateEngine } from './isolate/engine.ts'
import { readSettings } from './settings.ts'

const settings = readSettings(process.env)
const { host, port } = settings
const onChange = () => executor.announce()
const broker = createBroker(settings)
const { perform, callsOf } = timeCalls(broker.perform)
const isolates = createIsolateEngine({ settings, perform })
const docker = createDockerEngine({ settings: readDockerSettings(process.env), perform, onChange })
const engines = [isolates, docker]
const executor = createExecutor({
  secret: settings.secret,
  isSealed: isolates.isSealed,
  engines,
  build: createBuild(settings, docker.build),
  artefacts: createArtefacts(settings.artefactCacheBytes),
  callsOf,
})

const server = createServer((req, res) => {
  const known = req.url === '/health' && (req.method === 'GET' || req.method === 'HEAD')
  const body = JSON.stringify(known ? { status: 'ok' } : { status: 'not found' })
  const headers = { 'content-type': 'application/json; charset=utf-8', 'x-content-type-options': 'nosniff' }
  res.writeHead(known ? 200 : 404, headers).end(req.method === 'HEAD' ? undefined : body)
})
server.on('upgrade', executor.upgrade)

function fail(error: Error): never {
  process.stderr.write(`The functions runtime cannot listen on ${host}:${port}: ${error.message}\n`)
  process.exit(1)
}

server.once('error', fail)

/** Finishes what runs, then ends. */
function stop(): void {
  // A run may take longer than those who stop this process wait.
  setTimeout(() => process.exit(0), 25_000).unref()
  const closed = new Promise((done) => server.close(done))
  const ended = executor.leave().then(() => Promise.all(engines.map((engine) => engine.close())))
  void ended.then(broker.close)
  void Promise.all([closed, ended]).then(() => process.exit(0))
}

process.on('SIGTERM', stop)
process.on('SIGINT', stop)
// Started by another process, it ends with it.
process.on('disconnect', stop)

try {
  server.listen(Number(port), host, () => {
    const address = server.address()
    const actual = typeof address === 'object' ? address?.port : port
    process.stdout.write(`The functions runtime listens on http://${host}:${actual}/health\n`)
  })
} catch (error) {
  // A port that is no number from 0 to 65,535 is refused at once.
  fail(error as Error)
}
