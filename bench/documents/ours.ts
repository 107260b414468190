/** Tendril's API, as `node src/main.ts` starts it; with the planted bug `no-plan` it executes every operation field by field. */
import { createSchemas } from '../../schema/schemas.ts'
import { startApi } from '../../src/api.ts'
import { createApp } from '../../src/app.ts'
import { readEnv } from '../../src/env.ts'
import { createGraphql } from '../../src/server.ts'
import { beginPart, tell } from '../parts.ts'

const { plantedBug } = beginPart<{ plantedBug: string | null }>()
const app = await createApp(readEnv(), 'api')
const graphql = createGraphql(app, createSchemas(app), { plans: plantedBug !== 'no-plan' })
const { url } = await startApi(app, graphql)
tell({ url })
