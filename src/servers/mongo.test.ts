import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { MongoClient } from 'mongodb'
import { startMongo } from './mongo.ts'

it('startMongo serves MongoDB clients and keeps its data', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'tendril-mongo-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  for (const round of [1, 2]) {
    const server = await startMongo({ dir })
    if ('missing' in server) return t.skip(`no MongoDB: ${server.missing}`)
    const client = new MongoClient(server.url)
    const jobs = client.db('jobs').collection('jobs')
    await jobs.insertOne({ round })
    assert.equal(await jobs.countDocuments(), round)
    await client.close()
    await server.stop()
    await assert.rejects(new MongoClient(server.url, { serverSelectionTimeoutMS: 200 }).connect())
  }
})
