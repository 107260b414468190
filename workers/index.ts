import { audits } from './audits.ts'
import { certificates } from './certificates.ts'
import { databases } from './databases.ts'
import { deletes } from './deletes.ts'
import { deployments } from './deployments.ts'
import { functions } from './functions.ts'
import type { Worker } from './implement.ts'
import { jobs } from './jobs.ts'
import { mails } from './mails.ts'
import { maintenance } from './maintenance.ts'
import { schedules } from './schedules.ts'
import { tasks } from './tasks.ts'
import { usage } from './usage.ts'
import { webhooks } from './webhooks.ts'

/** Everything that happens later. */
export const workers: readonly Worker[] = [
  audits,
  certificates,
  databases,
  deletes,
  deployments,
  functions,
  jobs,
  mails,
  maintenance,
  schedules,
  tasks,
  usage,
  webhooks,
]
