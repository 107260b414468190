import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readRuntimes } from './runtimes.ts'
import { readDockerSettings } from './settings.ts'

const dir = mkdtempSync(join(tmpdir(), 'tendril-runtimes-'))
after(() => rmSync(dir, { recursive: true }))

const write = (content: unknown) =>
  writeFileSync(join(dir, 'own.json'), typeof content === 'string' ? content : JSON.stringify(content))
const own = {
  name: 'perl-5',
  image: 'perl:5-slim',
  shim: 'perl',
  entrypoint: 'main.pl',
  start: 'exec perl /tendril/shim.pl',
}

test('there is a runtime for each language', () => {
  const names = ['bun-1', 'dart-3', 'deno-2', 'go-1.24', 'java-17', 'node-22', 'php-8.2', 'python-3.11', 'ruby-3.1']
  assert.deepEqual([...readRuntimes(null).keys()], names)
  assert.deepEqual([...readRuntimes(null, ['node-22']).keys()], ['node-22'])
  assert.throws(
    () => readRuntimes(null, ['cobol']),
    /^Error: DOCKER_RUNTIMES: there is no runtime cobol\. There are bun-1, /,
  )
})

test('a file adds one, or takes the place of ours', () => {
  mkdirSync(join(dir, 'perl'))
  write(own)
  const perl = readRuntimes(dir).get('perl-5')
  assert.deepEqual([perl?.image, perl?.buildImage, perl?.shimFolder], ['perl:5-slim', 'perl:5-slim', join(dir, 'perl')])
  write({ ...own, name: 'python-3.11', shim: 'python' })
  assert.equal(readRuntimes(dir).get('python-3.11')?.image, 'perl:5-slim')
})

test('a file that is wrong is told with its name and what is wrong', () => {
  const path = join(dir, 'own.json')
  const { image: _, ...without } = own
  for (const [content, message] of [
    [without, /: image: /],
    [{ ...own, name: 'Perl 5' }, /: name: must be like python-3\.11$/],
    [{ ...own, shim: 'nowhere' }, /: shim: there is no folder nowhere\.$/],
    [{ ...own, imgae: 'x' }, /imgae/],
    ['{', /JSON/],
  ] as const) {
    write(content)
    assert.throws(
      () => readRuntimes(dir),
      (error: Error) => error.message.startsWith(path) && message.test(error.message),
    )
  }
  assert.throws(() => readRuntimes(join(dir, 'absent')), /RUNTIMES_DIR: there is no folder/)
})

test('settings are read, with several engines as a list', () => {
  assert.deepEqual(readDockerSettings({}).hosts, [])
  assert.deepEqual(readDockerSettings({ DOCKER_HOST: 'unix:///a' }).hosts, ['unix:///a'])
  assert.deepEqual(readDockerSettings({ DOCKER_HOST: 'x', DOCKER_HOSTS: 'unix:///a, tcp://b:1' }).hosts, [
    'unix:///a',
    'tcp://b:1',
  ])
  assert.equal(readDockerSettings({ DOCKER_IDLE_SECONDS: '2' }).idleMs, 2_000)
  assert.throws(() => readDockerSettings({ DOCKER_CONTAINERS: '0' }), /DOCKER_CONTAINERS must be a number from 1\./)
})
