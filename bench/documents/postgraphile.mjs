// PostGraphile 5 on the same tables, as its documentation advises for production: grafserv on node:http, no GraphiQL, no watching, no explaining.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

process.on('disconnect', () => process.exit(1))
process.once('SIGTERM', () => process.exit(0))

const require = createRequire(import.meta.url)
const { postgraphile } = require('postgraphile')
const { makePgService } = require('postgraphile/adaptors/pg')
const { PostGraphileAmberPreset } = require('postgraphile/presets/amber')
const { grafserv } = require('postgraphile/grafserv/node')
const { Pool } = require('pg')

const { url, poolSize, projectId } = JSON.parse(process.argv[2])

const pool = new Pool({ connectionString: url, max: poolSize })
const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ pool, schemas: [projectId] })],
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
  grafast: { explain: false },
})
const server = createServer()
server.on('error', (error) => process.stderr.write(`PostGraphile: ${error.message}\n`))
await instance.createServ(grafserv).addTo(server)
await instance.getSchema()
server.listen(0, '127.0.0.1', () => process.send({ url: `http://127.0.0.1:${server.address().port}/graphql` }))
