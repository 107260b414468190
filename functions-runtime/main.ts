/** The process of other people's code: `node --no-node-snapshot functions-runtime/main.ts`. It is given no database and no secrets. */
import { createServer } from 'node:http'

const { PORT = '4000', HOST = '127.0.0.1' } = process.env

const server = createServer((req, res) => {
  const known = req.url === '/health' && (req.method === 'GET' || req.method === 'HEAD')
  const body = JSON.stringify(known ? { status: 'ok' } : { status: 'not found' })
  const headers = { 'content-type': 'application/json; charset=utf-8', 'x-content-type-options': 'nosniff' }
  res.writeHead(known ? 200 : 404, headers).end(req.method === 'HEAD' ? undefined : body)
})

function fail(error: Error): never {
  process.stderr.write(`The functions runtime cannot listen on ${HOST}:${PORT}: ${error.message}\n`)
  process.exit(1)
}

server.once('error', fail)

/** Answers what has been asked, then ends. */
function stop(): void {
  server.close(() => process.exit(0))
  setTimeout(() => process.exit(0), 10_000).unref()
}

process.on('SIGTERM', stop)
process.on('SIGINT', stop)
// Started by another process, it ends with it.
process.on('disconnect', stop)

try {
  server.listen(Number(PORT), HOST, () => {
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : PORT
    process.stdout.write(`The functions runtime listens on http://${HOST}:${port}/health\n`)
  })
} catch (error) {
  // A port that is no number from 0 to 65,535 is refused at once.
  fail(error as Error)
}
