import { type JobRepository, toJobId } from 'agenda'
import type { Collection, Document, ObjectId } from 'mongodb'

/** So many that are due are found by one look. */
const lookFor = 50

/**
 * Claims jobs as Agenda does, but looks for many at a time and claims each by its id. Not every server that speaks MongoDB's
 * protocol looks anything else up by an index: FerretDB on SQLite reads the whole backlog for each claim.
 */
export function claimsOf(jobs: Collection<Document>): JobRepository['getNextJobToRun'] {
  const found = new Map<string, ObjectId[]>()
  return async (name, nextScanAt, lockDeadline, now = new Date(), options) => {
    const isDue = {
      name,
      disabled: { $ne: true },
      $or: [{ lockedAt: null, nextRunAt: { $lte: nextScanAt } }, { lockedAt: { $lte: lockDeadline } }],
    }
    const lock = { $set: { lockedAt: now, lastModifiedBy: options?.lastModifiedBy ?? null } }
    const claim = async () => {
      const ids = found.get(name) ?? []
      for (let id = ids.shift(); id; id = ids.shift()) {
        // Somebody else may have it since, or have done it.
        const job = await jobs.findOneAndUpdate({ ...isDue, _id: id }, lock, { returnDocument: 'after' })
        if (job) return job
      }
      return null
    }
    const look = async () => {
      const due = jobs.find(isDue).project<{ _id: ObjectId }>({ _id: 1 }).sort({ nextRunAt: 1, priority: -1 })
      found.set(
        name,
        (await due.limit(lookFor).toArray()).map(({ _id }) => _id),
      )
    }
    const job = (await claim()) ?? (await look().then(claim))
    return job ? ({ ...job, _id: toJobId(job._id.toHexString()) } as Claimed) : undefined
  }
}

type Claimed = Awaited<ReturnType<JobRepository['getNextJobToRun']>>
