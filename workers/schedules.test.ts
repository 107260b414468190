import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createTask } from '../src/modules/tasks/tasks.ts'
import { eventually } from '../src/testing/receiver.ts'
import { createWorld, type World } from '../src/testing/world.ts'
import { createWrongClock, whyNoWrongClock } from '../src/testing/wrong-clock.ts'

const hour = 3_600
const dir = mkdtempSync(join(tmpdir(), 'tendril-clock-'))
let world: World
const clocks: Clock[] = []

type Clock = { process: ChildProcess; set: (seconds: number) => void; leads: () => boolean }

before(async () => {
  world = await createWorld()
})
after(async () => {
  await Promise.all(clocks.map((clock) => kill(clock)))
  rmSync(dir, { recursive: true })
  await world.close()
})

/** A process of workers of its own, whose clock can be set. */
function startClock(): Clock {
  const wrong = createWrongClock(join(dir, String(clocks.length)))
  const { DATABASE_URL, REDIS_URL } = world.env
  const SECRET_KEYS = Buffer.alloc(32, 7).toString('base64')
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), '--only', 'schedules'], {
    env: { ...process.env, ...wrong.env, DATABASE_URL, REDIS_URL, SECRET_KEYS, MONGODB_URL: '', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  // On a busy machine a leader may seem frozen, and lose the lead.
  const leads = () => output.lastIndexOf('schedules leads') > output.lastIndexOf('schedules lost the lead')
  const clock = { process: child, set: wrong.set, leads }
  clocks.push(clock)
  return clock
}

async function kill({ process: child }: Clock): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('each time of a schedule comes once, through a leader that dies and clocks that jump', {
  skip: whyNoWrongClock ?? false,
}, async () => {
  const { owner: ctx } = await world.createProject()
  const pair = [startClock(), startClock()] as const
  const { id: taskId } = await createTask(ctx, { name: 't', schedule: '* * * * * *', url: 'https://example.org' })
  const times = async () => {
    const found = await ctx.db.taskRun.findMany({ where: { taskId }, orderBy: { scheduledAt: 'asc' } })
    return found.map(({ scheduledAt }) => scheduledAt.getTime())
  }
  const goesOn = async () => {
    const had = (await times()).length
    await eventually(async () => assert.ok((await times()).length >= had + 2), 20_000)
  }
  // On a busy machine two processes take long to start.
  await eventually(() => assert.ok(pair.some(({ leads }) => leads())), 60_000)
  await goesOn()
  await eventually(() => assert.notEqual(pair[0].leads(), pair[1].leads()), 20_000)
  const [leader, other] = pair[0].leads() ? pair : ([pair[1], pair[0]] as const)
  await kill(leader)
  await goesOn()
  await eventually(() => assert.ok(other.leads()), 20_000)
  for (const seconds of [hour, -hour, 0]) {
    other.set(seconds)
    await goesOn()
  }
  const [first = 0, ...rest] = await times()
  assert.deepEqual(
    rest,
    rest.map((_, i) => first + (i + 1) * 1_000),
  )
  assert.ok((rest.at(-1) ?? 0) <= Date.now())
})
