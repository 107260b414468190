import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { parse } from 'yaml'
import { writeFiles } from './files.ts'

/**
 * Traefik's dynamic configuration as SchemaStore publishes it: src/schemas/json/traefik-v3-file-provider.json of
 * github.com/SchemaStore/schemastore at 3b6446ad, under the Apache License 2.0, unchanged. Copyright 2015-Current Mads
 * Kristensen and Contributors.
 */
const schema = new URL('../../src/testing/fixtures/traefik-v3-file-provider.json', import.meta.url)

const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`

test("what is written is valid by Traefik's own schema, which finds what is not", async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'tendril-files-'))
  t.after(() => rm(dir, { recursive: true }))
  const isValid = new Ajv({ strict: false }).compile(JSON.parse(await readFile(schema, 'utf8')))
  const domains = [
    { id: 'dom_1', name: 'a.example', pem: pem('a') },
    { id: 'dom_2', name: 'b.example', pem: null },
  ]
  for (const some of [domains, domains.slice(1), []]) {
    await writeFiles(dir, some)
    const written = parse(await readFile(join(dir, 'tendril.yml'), 'utf8'))
    assert.ok(isValid(written), JSON.stringify(isValid.errors))
  }
  assert.equal(isValid({ http: { routers: { a: { rules: 'Host(`a`)' } } } }), false)
  assert.equal(isValid({ tls: { certificates: [{ certFile: 1 }] } }), false)
})

test('certificates come and go with their domains, and nothing is written without a change', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'tendril-files-'))
  t.after(() => rm(dir, { recursive: true }))
  const a = { id: 'dom_1', name: 'a.example', pem: pem('a') }
  const b = { id: 'dom_2', name: 'b.example', pem: pem('b') }
  assert.equal(await writeFiles(dir, [a, b]), true)
  assert.equal(await writeFiles(dir, [a, b]), false)
  assert.equal(await writeFiles(dir, [{ ...a, pem: pem('c') }]), true)
  assert.deepEqual(await readdir(join(dir, 'certificates')), ['a.example.pem'])
  assert.equal(await readFile(join(dir, 'certificates', 'a.example.pem'), 'utf8'), pem('c'))
  assert.deepEqual((await readdir(dir)).sort(), ['certificates', 'tendril.yml'])
})
