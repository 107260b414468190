import { z } from 'zod'
import { JobRunOutcome as Outcome } from '../prisma/client/enums.ts'
import { discardJob, jobsWhere, keyOf, nameOf, replayJob, runsWhere, statusOf } from '../src/modules/jobs/jobs.ts'
import { eventLag, jobQueues, type EventLag as Lag, type JobQueue as Queue } from '../src/modules/jobs/lags.ts'
import { visibleJobs } from '../src/modules/jobs/visible.ts'
import { builder } from './builder.ts'
import { changedField } from './changed.ts'
import { connectionOf } from './connections.ts'

/** At `/graphql`: for those who run the installation, of what serves many projects at once. */
const access = { audience: ['console', 'owner'] } as const
const ofName = { validate: z.string().max(64), description: 'Of this name, e.g. `mails.send`.' }

const JobStatus = builder.enumType('JobStatus', {
  description: 'How a job stands.',
  values: {
    PENDING: { description: 'To be run, at once or at its next try.' },
    RUNNING: { description: 'Run by a worker.' },
    DEAD: { description: 'Given up. It can be replayed.' },
    DONE: { description: 'Ended. It is listed for an hour.' },
  } as const,
})

const JobRunOutcome = builder.enumType('JobRunOutcome', {
  description: 'How a run of a job ended.',
  values: {
    [Outcome.SUCCEEDED]: { description: 'The job is done.' },
    [Outcome.FAILED]: { description: 'It is tried again, or was given up.' },
    [Outcome.CANCELLED]: { description: 'Its worker was stopped; another takes the job.' },
  },
})

const Job = builder.prismaObject('JobAttempt', {
  variant: 'Job',
  description: 'Work that the project has to have done later.',
  fields: (t) => ({
    id: t.exposeID('job', { description: 'Names the job: its name and its key.' }),
    name: t.string({
      description: 'What it does: `mails.send`, `tasks.run` and the like.',
      select: { job: true },
      resolve: ({ job }) => nameOf(job),
    }),
    key: t.string({
      description: 'What it does it for. There is one job of a name for each key.',
      select: { job: true },
      resolve: ({ job }) => keyOf(job),
    }),
    status: t.field({
      type: JobStatus,
      description: 'How it stands.',
      select: { quarantinedAt: true, attempts: true },
      resolve: statusOf,
    }),
    error: t.exposeString('error', { nullable: true, description: 'Why its last run failed, or it was given up.' }),
    data: t.expose('data', { type: 'JSON', nullable: true, description: 'What it was given.' }),
    diedAt: t.expose('quarantinedAt', { type: 'DateTime', nullable: true, description: 'When it was given up.' }),
    updatedAt: t.expose('at', { type: 'DateTime', description: 'When it was enqueued, or last heard of.' }),
  }),
})

const JobRun = builder.prismaObject('JobRun', {
  description: 'One run of a job that has ended.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Names the run.' }),
    jobId: t.exposeID('job', { description: 'Of which job.' }),
    attempt: t.exposeInt('attempt', { description: 'Which try it was: 1 for the first.' }),
    outcome: t.expose('outcome', { type: JobRunOutcome, description: 'How it ended.' }),
    error: t.exposeString('error', { nullable: true, description: 'Why it failed.' }),
    worker: t.exposeInt('worker', { nullable: true, description: 'The number of the process that ran it.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', description: 'When it ended.' }),
  }),
})

const JobQueue = builder.objectRef<Queue>('JobQueue').implement({
  description: "How many of the project's jobs of one name there are.",
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the jobs.' }),
    pending: t.exposeInt('pending', { description: 'How many wait.' }),
    running: t.exposeInt('running', { description: 'How many run.' }),
    dead: t.exposeInt('dead', { description: 'How many were given up.' }),
    oldestPendingAt: t.expose('oldestPendingAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when the oldest of those that wait does.',
    }),
  }),
})

const EventLag = builder.objectRef<Lag>('EventLag').implement({
  description: 'How far a reader of the event log is behind.',
  fields: (t) => ({
    consumer: t.exposeString('consumer', { description: 'Who reads: `bridge` makes jobs of events.' }),
    events: t.exposeInt('events', { description: 'How many events it has still to read, of all projects.' }),
    seconds: t.exposeFloat('seconds', { description: 'How old the first event is that it has still to read.' }),
  }),
})

const JobList = connectionOf(Job, 'Job')
const JobRunList = connectionOf(JobRun, 'JobRun')

const JobWhere = builder.inputType('JobWhere', {
  description: 'Which jobs: those for which everything that is said here holds.',
  fields: (t) => ({
    name: t.string(ofName),
    status: t.field({ type: JobStatus, description: 'That have this status: `DEAD` are the dead letters.' }),
  }),
})

const JobRunWhere = builder.inputType('JobRunWhere', {
  description: 'Which runs: those for which everything that is said here holds.',
  fields: (t) => ({
    jobId: t.id({ description: 'Of this job.' }),
    name: t.string(ofName),
  }),
})

builder.queryFields((t) => ({
  job: t.prismaField({
    type: Job,
    nullable: true,
    access,
    description: 'One job; null when there is none of this id.',
    args: { id: t.arg.id({ required: true, description: 'Which job.' }) },
    resolve: async (query, _root, { id }, ctx) =>
      ctx.db.jobAttempt.findFirst({ ...query, where: { AND: [{ job: id }, await visibleJobs(ctx)] } }),
  }),
  jobs: t.prismaConnection(
    {
      type: Job,
      cursor: 'job',
      access,
      description:
        "The project's jobs, by name, the newest keys first. At `/graphql`, for those whose address is one of `OPERATORS`: work that is done for many projects at once, such as sending to webhooks.",
      args: { where: t.arg({ type: JobWhere, description: 'Which; all, if left out.' }) },
      totalCount: async (_root, { where }, ctx) =>
        ctx.db.jobAttempt.count({ where: await jobsWhere(ctx, where ?? {}) }),
      resolve: async (query, _root, { where }, ctx) =>
        ctx.db.jobAttempt.findMany({ ...query, where: await jobsWhere(ctx, where ?? {}), orderBy: { job: 'desc' } }),
    },
    ...JobList,
  ),
  jobRuns: t.prismaConnection(
    {
      type: JobRun,
      cursor: 'id',
      access,
      description: 'Runs of jobs of the last seven days, newest first.',
      args: { where: t.arg({ type: JobRunWhere, description: 'Which; all, if left out.' }) },
      totalCount: async (_root, { where }, ctx) => ctx.db.jobRun.count({ where: await runsWhere(ctx, where ?? {}) }),
      resolve: async (query, _root, { where }, ctx) =>
        ctx.db.jobRun.findMany({ ...query, where: await runsWhere(ctx, where ?? {}), orderBy: { id: 'desc' } }),
    },
    ...JobRunList,
  ),
  jobQueues: t.field({
    type: [JobQueue],
    access,
    description: "How many of the project's jobs wait, run and are dead, by their name.",
    resolve: (_root, _args, ctx) => jobQueues(ctx),
  }),
  eventLag: t.field({
    type: [EventLag],
    access,
    description: 'How far what happens later is behind what has happened.',
    resolve: (_root, _args, ctx) => eventLag(ctx),
  }),
}))

builder.mutationFields((t) => ({
  replayJob: t.prismaField({
    type: Job,
    access,
    description: 'Runs a dead job again, now, with the same key. What it had done already is not done twice.',
    args: { id: t.arg.id({ required: true, description: 'Which job.' }) },
    resolve: (_query, _root, { id }, ctx) => replayJob(ctx, id),
  }),
  discardJob: t.prismaField({
    type: Job,
    access,
    description: 'Takes a dead job from the dead letters; it is not run again.',
    args: { id: t.arg.id({ required: true, description: 'Which job.' }) },
    resolve: (_query, _root, { id }, ctx) => discardJob(ctx, id),
  }),
}))

changedField({
  type: 'Job',
  noun: 'jobs',
  idKey: 'jobId',
  access,
  description: 'Jobs that are replayed and discarded.',
  node: (t) =>
    t.prismaField({
      type: Job,
      nullable: true,
      description: 'The job as it is now; null once it is gone.',
      resolve: async (query, { id, ctx }) =>
        ctx.db.jobAttempt.findFirst({ ...query, where: { AND: [{ job: id }, await visibleJobs(ctx)] } }),
    }),
})
