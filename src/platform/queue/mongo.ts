import { setTimeout as sleep } from 'node:timers/promises'
import { MongoBackend } from '@agendajs/mongo-backend'
import type { JobId } from 'agenda'
import { type Collection, type Document, MongoBulkWriteError, MongoClient, ObjectId } from 'mongodb'
import { type JobDepth, type JobPage, type JobRow, type Store, type StoredJob, slackMs } from './kinds.ts'
import { claimsOf } from './mongo-claims.ts'

/** Agenda's jobs in MongoDB, in one collection for each event log, so that two Tendrils may share a server. */
export function mongoStore(url: string, collection: string): Store {
  const client = new MongoClient(url, {
    appName: 'tendril',
    maxPoolSize: 10,
    serverSelectionTimeoutMS: 5_000,
    connectTimeoutMS: 5_000,
    socketTimeoutMS: 20_000,
  })
  const named = new URL(url).pathname.length > 1
  const db = client.db(named ? undefined : 'tendril')
  const jobs = db.collection(collection)
  const backend = new MongoBackend({ mongo: db, collection, logCollection: `${collection}_log` })
  backend.repository.getNextJobToRun = claimsOf(jobs)
  backend.repository.unlockJobs = (ids) => unlock(jobs, ids)
  return {
    backend,
    prepare: async () => {
      await jobs.createIndex({ name: 1, 'data.key': 1 }, { unique: true, name: 'key' })
    },
    bringNear: async (name, plan, lock) => {
      const now = { $set: { nextRunAt: new Date() } }
      await jobs.updateMany({ name, nextRunAt: { $gt: plan } }, now)
      // A job that was running has no time: it would stay without one.
      await jobs.updateMany({ name, lockedAt: { $gt: lock } }, { $set: { ...now.$set, lockedAt: null } })
    },
    newId: () => String(new ObjectId()),
    insert: (added) => insert(jobs, added),
    remove: async (id) => void (await jobs.deleteOne({ _id: new ObjectId(id) })),
    touch: async (id) => {
      await jobs.updateOne({ _id: new ObjectId(id), lockedAt: { $ne: null } }, { $set: { lockedAt: new Date() } })
    },
    dropFinished: async (name, key) => {
      const { deletedCount } = await jobs.deleteOne({ name, 'data.key': key, nextRunAt: null, lockedAt: null })
      return deletedCount > 0 || (await jobs.countDocuments({ name, 'data.key': key }, { limit: 1 })) === 0
    },
    release: async (locker) => {
      // Long out of date: that is taken up whether or not the job is planned.
      await jobs.updateMany({ lastModifiedBy: locker, lockedAt: { $ne: null } }, { $set: { lockedAt: new Date(0) } })
    },
    forget: async (before) => {
      const { deletedCount } = await jobs.deleteMany({ nextRunAt: null, lockedAt: null, lastRunAt: { $lt: before } })
      return deletedCount
    },
    page: (page) => readPage(jobs, page),
    depths: () => readDepths(jobs),
    // It takes leave of the server, which may not answer.
    close: () => Promise.race([client.close(), sleep(1_000, undefined, { ref: false })]),
  }
}

/** Each by its id: of several ids in one filter FerretDB on SQLite reads the whole collection. */
async function unlock(jobs: Collection<Document>, ids: readonly (JobId | string)[]): Promise<void> {
  if (ids.length === 0) return
  const update = { $unset: { lockedAt: true } } as const
  const each = ids.map((id) => ({ updateOne: { filter: { _id: new ObjectId(id) }, update } }))
  await jobs.bulkWrite(each, { ordered: false })
}

/** As Agenda itself puts them down. */
async function insert(jobs: Collection<Document>, added: readonly StoredJob[]): Promise<Set<string>> {
  const never = { lastRunAt: null, lastFinishedAt: null, failedAt: null, failCount: null, failReason: null }
  const rows = added.map(({ id, name, nextRunAt, data, locker }) => ({
    ...{ _id: new ObjectId(id), name, nextRunAt, data, type: 'normal', priority: 0, disabled: null, ...never },
    ...{ lockedAt: locker === null ? null : new Date(), lastModifiedBy: locker },
  }))
  const ids = new Set(added.map(({ id }) => id))
  try {
    await jobs.insertMany(rows, { ordered: false })
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error
    for (const { code, index } of [error.writeErrors].flat()) {
      if (code !== 11_000) throw error
      ids.delete(added[index]?.id ?? '')
    }
  }
  return ids
}

/** Small: only what is due and what runs is read, and of that only its name and times. */
async function readDepths(jobs: Collection<Document>): Promise<JobDepth[]> {
  const now = new Date()
  const where = { $or: [{ nextRunAt: { $lte: now } }, { lockedAt: { $ne: null } }] }
  const depths = new Map<string, JobDepth>()
  const fields = { name: 1, nextRunAt: 1, lockedAt: 1, lastRunAt: 1 }
  for await (const { name, nextRunAt, lockedAt, lastRunAt } of jobs.find(where).project(fields)) {
    const depth = depths.get(name) ?? { name, due: 0, running: 0, lagSeconds: 0 }
    depths.set(name, depth)
    if (lockedAt) depth.running += 1
    else {
      depth.due += 1
      depth.lagSeconds = Math.max(
        depth.lagSeconds,
        (now.getTime() - nextRunAt.getTime() - (lastRunAt ? 0 : slackMs)) / 1_000,
      )
    }
  }
  return [...depths.values()]
}

async function readPage(jobs: Collection<Document>, { name, after, first }: JobPage): Promise<JobRow[]> {
  const where = { ...(name ? { name } : {}), ...(after ? { _id: { $gt: new ObjectId(after) } } : {}) }
  const found = await jobs.find(where).sort({ _id: 1 }).limit(first).toArray()
  return found.map((job) => ({
    id: String(job._id),
    name: job.name,
    key: job.data?.key ?? '',
    nextRunAt: job.nextRunAt ?? null,
    lastRunAt: job.lastRunAt ?? null,
    finishedAt: job.lastFinishedAt ?? null,
    failCount: job.failCount ?? 0,
    failReason: job.failReason ?? null,
  }))
}
