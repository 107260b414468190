/** The relay, as the workers process runs it, and nothing besides. */
import { createApp } from '../../src/app.ts'
import { readEnv } from '../../src/env.ts'
import { startRelay } from '../../workers/relay.ts'
import { beginPart, tell } from '../parts.ts'

beginPart()
startRelay(await createApp(readEnv(), 'relay'))
tell({ url: '' })
