import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { workers } from '../../workers/index.ts'
import { variables } from '../env.ts'
import { apiOptions } from '../node-options.ts'

type Service = {
  ports?: string[]
  profiles?: string[]
  command?: string[]
  deploy?: { replicas: number }
  environment?: Record<string, string>
  volumes?: string[]
  networks?: string[]
}

const text = readFileSync(new URL('../../docker-compose.yml', import.meta.url), 'utf8')
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> }

test('only 80 and 443 are reached from outside', () => {
  const ports = Object.entries(services).flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`))
  assert.deepEqual(ports, ['traefik 80:80', 'traefik 443:443'])
})

test('without a profile there is everything that is needed', () => {
  const always = Object.entries(services).filter(([, { profiles }]) => !profiles)
  assert.deepEqual(always.map(([name]) => name).sort(), [
    'api',
    'functions-runtime',
    'mongo',
    'postgres',
    'redis',
    'traefik',
    'workers',
  ])
  assert.equal(services.api?.deploy?.replicas, 2)
})

test('the profile `separate` has one service for each worker', () => {
  const separate = Object.values(services).filter(({ profiles }) => profiles?.includes('separate'))
  assert.deepEqual(separate.map(({ command }) => command?.at(-1)).sort(), workers.map(({ name }) => name).sort())
})

test('the profiles antivirus and usage have their servers', () => {
  const inProfile = (name: string) => Object.keys(services).filter((key) => services[key]?.profiles?.includes(name))
  assert.deepEqual(inProfile('antivirus'), ['clamav'])
  assert.deepEqual(inProfile('usage').sort(), ['influxdb', 'telegraf'])
})

test('every variable that a service is given exists, and the functions runtime has none of our secrets but its own', () => {
  for (const name of Object.keys(services.api?.environment ?? {})) assert.ok(name in variables, name)
  const given = services['functions-runtime']?.environment ?? {}
  assert.deepEqual(Object.keys(given).sort(), ['EGRESS_ALLOW', 'EXECUTOR_SECRET', 'NPM_REGISTRY', 'TENDRIL_URL'])
  assert.equal(given.EXECUTOR_SECRET, services.api?.environment?.EXECUTOR_SECRET)
  assert.deepEqual(services['functions-runtime']?.networks, ['functions'])
})

test('the socket of a Docker Engine is given to Traefik, to read, and to the functions runtime only by a file of its own', () => {
  const withSocket = (all: Record<string, Service>) =>
    Object.entries(all).flatMap(([name, { volumes = [] }]) =>
      volumes
        .filter((volume) => volume.includes('docker.sock'))
        .map((volume) => `${name} ${volume.split(':').slice(2)}`),
    )
  assert.deepEqual(withSocket(services), ['traefik ro'])
  const file = readFileSync(new URL('../../deploy/docker/functions.yml', import.meta.url), 'utf8')
  assert.deepEqual(withSocket((parse(file) as { services: Record<string, Service> }).services), ['functions-runtime '])
})

test('an API node is started as it is measured', () => {
  const command = ['node', ...apiOptions, 'src/main.ts']
  assert.deepEqual(services.api?.command, command)
  const dockerfile = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8')
  assert.ok(dockerfile.endsWith(`CMD ${JSON.stringify(command).replaceAll(',', ', ')}\n`))
  const guide = readFileSync(new URL('../../docs/guides/operating.md', import.meta.url), 'utf8')
  assert.ok(guide.includes(`node ${apiOptions.join(' ')} src/main.ts`))
})

test('Traefik reads what the certificates worker writes', () => {
  for (const name of ['workers', 'worker-certificates']) {
    assert.deepEqual(services[name]?.volumes, ['certificates:/certificates'], name)
    assert.equal(services[name]?.environment?.CERTIFICATES_DIR, '/certificates')
  }
  assert.ok(services.traefik?.volumes?.includes('certificates:/certificates:ro'))
  assert.ok(services.traefik?.command?.includes('--providers.file.directory=/certificates'))
})
