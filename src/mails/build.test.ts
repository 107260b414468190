import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compileMails } from './build.ts'

test('the compiled mails are current', async () => {
  assert.equal(await compileMails(), readFileSync(join(import.meta.dirname, 'generated/templates.ts'), 'utf8'))
})
