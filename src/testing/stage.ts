import { after } from 'node:test'
import { createSchemas, type Schemas } from '../../schema/schemas.ts'
import type { Context } from '../context.ts'
import { createWorld, type World } from './world.ts'

/** `owner` is that of one of its projects. */
export type Stage = { world: World; schemas: Schemas; owner: Context }

/** What the tests of a file share: a world with a project, and its schemas. It is closed behind them. */
export async function createStage(env: Record<string, string> = {}): Promise<Stage> {
  const world = await createWorld(env)
  const schemas = createSchemas(world.app)
  after(async () => {
    await schemas.close()
    await world.close()
  })
  const { owner } = await world.createProject()
  return { world, schemas, owner }
}
