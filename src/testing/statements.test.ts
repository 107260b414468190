import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { addUsage } from '../modules/usage/write.ts'
import { statements } from './statements.ts'
import { createWorld } from './world.ts'

test('what the node does by its own clock is not counted, all else is', async () => {
  const world = await createWorld()
  after(world.close)
  const { sql, readers, cache, db } = world.app
  const { texts } = await statements(async () => {
    await addUsage(sql, [{ projectId: 'none', metric: 'documents.read', value: 1 }], new Date())
    readers.many('"none"."none"', ['any'])
    await cache.look()
    await sql.query('select 1')
    await db.project.count()
    await sleep(50)
  })
  assert.equal(texts.length, 2, texts.join('\n'))
})
