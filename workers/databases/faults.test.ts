import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { updateAttribute } from '../../src/modules/attributes/update.ts'
import { patienceMs, patient } from '../../src/testing/patience.ts'
import { createTables, type Tables } from '../../src/testing/tables.ts'
import { createWorld, type World } from '../../src/testing/world.ts'
import { applySchemaChanges } from './apply.ts'
import { failOverdue } from './overdue.ts'

let world: World
const processes: ChildProcess[] = []

before(async () => {
  world = await createWorld()
})
afterEach(async () => {
  for (const worker of processes.splice(0)) {
    if (worker.exitCode === null && worker.signalCode === null && worker.kill('SIGKILL')) await once(worker, 'exit')
  }
})
after(() => world.close())

const rows = 20_000
const signal = new AbortController().signal

/** A collection of many documents, with a number that is asked to become text. */
async function askForRewrite(tables: Tables): Promise<{ id: string; table: string; attributeId: string }> {
  const { ctx, make, insertDocuments, tableOf } = tables
  const id = await make({ key: 'posts', attributes: [{ key: 'number', type: 'INTEGER' }] })
  await insertDocuments(id, rows, ', number', ', i')
  const { id: attributeId } = await ctx.db.attribute.findFirstOrThrow({ where: { collectionId: id } })
  await updateAttribute(ctx, { id: attributeId, type: 'STRING', size: 10 })
  return { id, table: tableOf(id), attributeId }
}

async function contentOf({ sql }: Tables, table: string): Promise<unknown> {
  return sql(`select count(*)::int, sum(number::int)::int, min(pg_typeof(number)::text) as type from ${table}`)
}
const content = (type: string) => [{ count: rows, sum: (rows * (rows + 1)) / 2, type }]

async function until(check: () => Promise<boolean>, what: string): Promise<void> {
  while (!(await check())) {
    assert.ok(patienceMs() > 0, what)
    await sleep(50)
  }
}

function startWorker(): ChildProcess {
  const { DATABASE_URL, REDIS_URL } = world.env
  const SECRET_KEYS = Buffer.alloc(32, 7).toString('base64')
  const worker = spawn(process.execPath, ['workers/main.ts', '--only', 'databases'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { PATH: process.env.PATH, DATABASE_URL, REDIS_URL, SECRET_KEYS, LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  processes.push(worker)
  return worker
}

test('a worker that is killed in the middle of an ALTER: another makes the change in a moment', patient, async () => {
  const tables = await createTables(world)
  const { ctx, sql } = tables
  const { table, attributeId } = await askForRewrite(tables)
  await sql(`create function stall() returns event_trigger language plpgsql as $$ begin
    perform pg_sleep(600) from pg_event_trigger_ddl_commands() where schema_name = '${ctx.projectId}'; end $$`)
  await sql(`create event trigger stall on ddl_command_end when tag in ('ALTER TABLE') execute function stall()`)
  const first = startWorker()
  const altering = `select from pg_stat_activity where datname = current_database() and state = 'active' and wait_event = 'PgSleep'`
  await until(async () => (await sql(altering)).length > 0, 'the worker did not begin')
  startWorker()
  first.kill('SIGKILL')
  await once(first, 'exit')
  await sql('drop event trigger stall')
  const killed = performance.now()
  assert.deepEqual(await contentOf(tables, table), content('integer'))
  const attribute = () => ctx.db.attribute.findUniqueOrThrow({ where: { id: attributeId } })
  await until(async () => (await attribute()).status === 'AVAILABLE', 'nobody took it over')
  const tookMs = performance.now() - killed
  process.stdout.write(`# taken over after ${tookMs.toFixed()} ms\n`)
  // Not by the end of a lock or a lease, which would be after 45 s at the earliest.
  assert.ok(tookMs < 40_000, `${tookMs} ms`)
  assert.equal((await attribute()).type, 'STRING')
  assert.deepEqual(await contentOf(tables, table), content('text'))
})

/** A tablespace with room for little, on the server of these tests; a reason where that cannot be. */
async function makeSmallDisk(): Promise<{ place: string; remove: () => void } | { missing: string }> {
  const { rows } = await world.app.sql.query<{ pid: number }>('select pg_backend_pid() as pid')
  const server = `/proc/${rows[0]?.pid}`
  const isHere = existsSync(`${server}/comm`) && readFileSync(`${server}/comm`, 'utf8').startsWith('postgres')
  if (!isHere) return { missing: 'PostgreSQL is on another machine' }
  const owner = statSync(server)
  const place = mkdtempSync(join(tmpdir(), 'tendril-small-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', place]).status === 0
  const remove = () => {
    if (mounted) spawnSync('umount', ['-l', place])
    rmSync(place, { recursive: true, force: true })
  }
  if (!mounted) {
    remove()
    return { missing: 'this process may not mount' }
  }
  chownSync(place, owner.uid, owner.gid)
  return { place, remove }
}

test(
  'a disk that is full in the middle of a change leaves all as it was and is said; with room, it goes on',
  patient,
  async (t) => {
    const disk = await makeSmallDisk()
    if ('missing' in disk) return t.skip(`a full disk cannot be had: ${disk.missing}`)
    const tables = await createTables(world)
    const { ctx, sql, applyAll } = tables
    const { table, attributeId } = await askForRewrite(tables)
    const space = `small_${attributeId}`
    await sql(`create tablespace ${space} location '${disk.place}'`)
    try {
      await sql(`alter table ${table} set tablespace ${space}`)
      await assert.rejects(applySchemaChanges(ctx, { signal, graceMs: 0 }), { code: '53100' })
      const attribute = () => ctx.db.attribute.findUniqueOrThrow({ where: { id: attributeId } })
      const { status, statusReason, type } = await attribute()
      assert.deepEqual([status, type], ['CHANGING', 'INTEGER'])
      assert.match(statusReason ?? '', /disk of the PostgreSQL server is full/)
      assert.deepEqual(await contentOf(tables, table), content('integer'))
      await sql(`alter table ${table} set tablespace pg_default`)
      await applyAll()
      const after = await attribute()
      assert.deepEqual([after.status, after.type, after.statusReason], ['AVAILABLE', 'STRING', null])
      assert.deepEqual(await contentOf(tables, table), content('text'))
    } finally {
      await sql(`alter table ${table} set tablespace pg_default`)
      await sql(`drop tablespace ${space}`)
      disk.remove()
    }
  },
)

test('a disk that stays full is the reason why a change is given up', patient, async () => {
  const tables = await createTables(world)
  const { ctx, sql } = tables
  const { table, attributeId } = await askForRewrite(tables)
  await sql(`create function no_room() returns event_trigger language plpgsql as
    $$ begin raise 'No space left on device' using errcode = '53100'; end $$`)
  await sql(`create event trigger no_room on ddl_command_end when tag in ('ALTER TABLE') execute function no_room()`)
  await assert.rejects(applySchemaChanges(ctx, { signal, graceMs: 0 }), { code: '53100' })
  await sql('drop event trigger no_room')
  await failOverdue({ ...ctx, clock: () => new Date(Date.now() + 11 * 60_000) }, 'test')
  const { status, statusReason, type } = await ctx.db.attribute.findUniqueOrThrow({ where: { id: attributeId } })
  assert.deepEqual([status, type], ['AVAILABLE', 'INTEGER'])
  assert.match(statusReason ?? '', /disk of the PostgreSQL server is full/)
  assert.deepEqual(await contentOf(tables, table), content('integer'))
})
