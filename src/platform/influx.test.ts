import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Unavailable } from '../errors.ts'
import { ranges, usageOf } from '../modules/usage/usage.ts'
import { addUsage, setUsage } from '../modules/usage/write.ts'
import { findExecutable } from '../servers/executables.ts'
import { type Tied, tie } from '../servers/lifeline.ts'
import { freePort } from '../servers/ports.ts'
import { eventually } from '../testing/receiver.ts'
import { createWorld, type World } from '../testing/world.ts'
import { createLog } from './log.ts'
import { createStatsd } from './statsd.ts'

const influxd = findExecutable('influxd')
const conf = new URL('../../deploy/telegraf/telegraf.conf', import.meta.url)

/** The tables and keys of a TOML that has no more than those. */
function readConf(text: string): Record<string, Record<string, string>> {
  const tables: Record<string, Record<string, string>> = {}
  let table: Record<string, string> = {}
  for (const line of text.split('\n').map((line) => line.trim())) {
    const [, name] = /^\[+([\w.]+)\]+$/.exec(line) ?? []
    const [, key, value] = /^(\w+) = (.+)$/.exec(line) ?? []
    if (name) {
      table = {}
      tables[name] = table
    } else if (key && value) table[key] = value
    else assert.match(line, /^(#.*)?$/, 'a line that is neither')
  }
  return tables
}

test('Telegraf listens where Tendril speaks, in the words that it uses, and forgets what it has handed on', async () => {
  const { 'inputs.statsd': statsd, 'outputs.influxdb': influx } = readConf(await readFile(conf, 'utf8'))
  assert.deepEqual(statsd, {
    protocol: '"udp"',
    service_address: '":8125"',
    delete_counters: 'true',
    metric_separator: '"_"',
    datadog_extensions: 'true',
  })
  assert.equal(influx?.database, '"tendril"')
})

/** What Telegraf makes of a line of StatsD, by that configuration: InfluxDB's line protocol. */
function lineOf(line: string, at: Date): string {
  const [, name, value, type, project] = /^([\w.-]+):(-?\d+)\|([cg])\|#project:(\w+)$/.exec(line) ?? []
  assert.ok(name && value && project, line)
  const measurement = name.replaceAll('.', '_').replaceAll('-', '__')
  const kind = type === 'c' ? 'counter' : 'gauge'
  return `${measurement},host=test,metric_type=${kind},project=${project} value=${value}${type === 'c' ? 'i' : ''} ${at.getTime()}000000`
}

describe('usage goes over UDP to InfluxDB, and is read there', { skip: !influxd && 'There is no influxd.' }, () => {
  let world: World
  let server: Tied
  let url: string
  let dir: string

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tendril-influx-'))
    const [port, rpc] = [await freePort(), await freePort()]
    const config = `reporting-disabled = true
bind-address = "127.0.0.1:${rpc}"
[meta]
dir = "${dir}/meta"
[data]
dir = "${dir}/data"
wal-dir = "${dir}/wal"
[http]
bind-address = "127.0.0.1:${port}"
log-enabled = false
`
    await writeFile(join(dir, 'influx.conf'), config)
    const logFile = join(dir, 'log')
    server = await tie(influxd ?? '', ['-config', join(dir, 'influx.conf')], { logFile, stopSignal: 'TERM' })
    url = `http://127.0.0.1:${port}`
    await eventually(async () => {
      const q = 'CREATE DATABASE tendril'
      assert.ok((await fetch(`${url}/query`, { method: 'POST', body: new URLSearchParams({ q }) })).ok)
    }, 20_000)
    world = await createWorld({ INFLUXDB_URL: `${url}/tendril` })
  })
  after(async () => {
    await world?.close()
    await server?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  test('what is read from it is what PostgreSQL says', async () => {
    const telegraf = createSocket('udp4')
    telegraf.bind(0, '127.0.0.1')
    await once(telegraf, 'listening')
    const lines: string[] = []
    telegraf.on('message', (packet) => lines.push(...String(packet).split('\n').filter(Boolean)))
    const statsd = createStatsd(`udp://127.0.0.1:${telegraf.address().port}`, createLog('silent', 'test'))
    const { owner: ctx, projectId } = await world.createProject()
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000)
    const counts = (value: number) => [
      { projectId, metric: 'requests', value },
      { projectId, metric: 'projects.schema-changed', value: 2 * value },
      { projectId: `${projectId}x`, metric: 'requests', value: 1_000 },
    ]
    const stocks = (value: number) => [{ projectId, metric: 'storage.bytes', value }]
    for (const [hours, value] of [
      [20, 5],
      [3, 7],
      [3, 1],
      [0, 2],
    ] as const) {
      const at = hoursAgo(hours)
      await addUsage(world.app.sql, counts(value), at)
      await setUsage(world.app.sql, stocks(100 * value), at)
      statsd.add(counts(value))
      statsd.set(stocks(100 * value))
      const written = lines.length + 4
      await eventually(() => assert.equal(lines.length, written))
      // Two flushes of one hour are two points in time.
      const body = lines
        .slice(-4)
        .map((line) => lineOf(line, new Date(at.getTime() + value)))
        .join('\n')
      const reply = await fetch(`${url}/write?db=tendril`, { method: 'POST', body })
      assert.equal(reply.status, 204, await reply.text())
    }
    await statsd.close()
    telegraf.close()
    const inPostgres = { ...ctx, env: { ...ctx.env, INFLUXDB_URL: undefined } }
    const names = ['requests', 'projects.schema-changed', 'storage.bytes', 'bytes.in']
    for (const range of Object.keys(ranges) as (keyof typeof ranges)[]) {
      const [there, here] = [await usageOf(ctx, range, names), await usageOf(inPostgres, range, names)]
      assert.deepEqual(there, here, range)
    }
    const [requests] = (await usageOf(ctx, 'D30', ['requests'])).series
    assert.equal(requests?.total, 15)
  })

  test('while it is away, that is said', async () => {
    const { owner } = await world.createProject()
    const away = { ...owner, env: { ...owner.env, INFLUXDB_URL: 'http://127.0.0.1:1/tendril' } }
    await assert.rejects(usageOf(away, 'H24', ['requests']), Unavailable)
  })
})
