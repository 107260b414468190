import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRedisServers } from './redis-url.ts'

test('a cluster, and sentinels that know a master by its name', () => {
  assert.deepEqual(parseRedisServers('redis+cluster://me:p%40ss@a.example:7000,10.0.0.2'), {
    nodes: [
      { host: 'a.example', port: 7000 },
      { host: '10.0.0.2', port: 6379 },
    ],
    master: null,
    username: 'me',
    password: 'p@ss',
    tls: false,
  })
  assert.deepEqual(parseRedisServers('rediss+sentinel://:secret@a.example,[::1]:1/main'), {
    nodes: [
      { host: 'a.example', port: 26_379 },
      { host: '::1', port: 1 },
    ],
    master: 'main',
    username: undefined,
    password: 'secret',
    tls: true,
  })
})

test('nothing else is one', () => {
  const wrong = [
    '',
    'redis://a.example:6379',
    'redis+cluster://',
    'redis+cluster://a/main',
    'redis+cluster://a,,b',
    'redis+cluster://a:99999',
    'redis+cluster://:%zz@a',
    'redis+cluster://a?family=6',
    'redis+sentinel://a',
    'redis+sentinel://a/',
    'redis+other://a',
  ]
  for (const text of wrong) assert.equal(parseRedisServers(text), null, text)
})
