import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tickAfter, ticksBetween } from './schedule.ts'

const ticks = (schedule: string, timeZone: string, from: string, to: string) =>
  ticksBetween({ schedule, timeZone }, new Date(from), new Date(to), 1_000).map((tick) =>
    tick.toISOString().slice(0, 16),
  )

test('time zones', () => {
  const daily = { schedule: '30 2 * * *', timeZone: 'Europe/Berlin' }
  assert.deepEqual(tickAfter(daily, new Date('2026-06-01T12:00:00Z')), new Date('2026-06-02T00:30:00Z'))
  const kathmandu = { schedule: '0 0 1 1 *', timeZone: 'Asia/Kathmandu' }
  assert.deepEqual(tickAfter(kathmandu, new Date('2026-06-01T12:00:00Z')), new Date('2026-12-31T18:15:00Z'))
})

test('when clocks are put forward, what they skip is as much later, and schedules of every hour go on', () => {
  const night = ['2026-03-29T00:00:00Z', '2026-03-29T02:00:00Z'] as const
  assert.deepEqual(ticks('30 2 * * *', 'Europe/Berlin', ...night), ['2026-03-29T01:30'])
  assert.deepEqual(ticks('45 1-3 * * *', 'Europe/Berlin', ...night), ['2026-03-29T00:45', '2026-03-29T01:45'])
  const half = ['2026-03-29T00:00', '2026-03-29T00:30', '2026-03-29T01:00', '2026-03-29T01:30', '2026-03-29T02:00']
  assert.deepEqual(ticks('*/30 * * * *', 'Europe/Berlin', ...night), half)
  const island = ['2026-10-03T15:00:00Z', '2026-10-03T16:30:00Z'] as const
  assert.deepEqual(ticks('15 2 * * *', 'Australia/Lord_Howe', ...island), ['2026-10-03T15:45'])
})

test('when clocks are put back, a time that comes twice counts once, and schedules of every hour go on', () => {
  const night = ['2026-10-25T00:00:00Z', '2026-10-25T02:00:00Z'] as const
  assert.deepEqual(ticks('30 2 * * *', 'Europe/Berlin', ...night), ['2026-10-25T00:30'])
  assert.deepEqual(ticks('15 1-3 * * *', 'Europe/Berlin', ...night), ['2026-10-25T00:15'])
  const half = ['2026-10-25T00:00', '2026-10-25T00:30', '2026-10-25T01:00', '2026-10-25T01:30', '2026-10-25T02:00']
  assert.deepEqual(ticks('*/30 * * * *', 'Europe/Berlin', ...night), half)
  const island = ['2026-04-04T14:00:00Z', '2026-04-04T16:00:00Z'] as const
  assert.deepEqual(ticks('45 1,2 * * *', 'Australia/Lord_Howe', ...island), ['2026-04-04T14:45'])
})

test('the last times of a long while are found without going through all of them', () => {
  const seconds = { schedule: '* * * * * *', timeZone: 'UTC' }
  const found = ticksBetween(seconds, new Date('2026-01-01T00:00:00Z'), new Date('2026-06-01T12:00:00.900Z'), 3)
  assert.deepEqual(
    found.map((tick) => tick.getUTCSeconds()),
    [58, 59, 0],
  )
  // A Sunday of every second that is two days ago: 86,400 times.
  const sundays = { schedule: '* * * * * 0', timeZone: 'UTC' }
  const begun = performance.now()
  const last = ticksBetween(sundays, new Date('2026-09-05T20:47:00Z'), new Date('2026-09-08T20:47:00Z'), 1)
  assert.deepEqual(last, [new Date('2026-09-06T23:59:59Z')])
  assert.ok(performance.now() - begun < 500)
})
