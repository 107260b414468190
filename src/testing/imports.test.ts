import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { checkImports, folders } from './imports.ts'

const folder = mkdtempSync(join(tmpdir(), 'tendril-imports-'))
after(() => rmSync(folder, { recursive: true }))

function plant(files: Record<string, string>): void {
  for (const name of folders) {
    rmSync(join(folder, name), { recursive: true, force: true })
    mkdirSync(join(folder, name), { recursive: true })
  }
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

const forbidden: Record<string, [string, string]> = {
  'jobs-sit-on-core': ['workers/a.ts', 'schema/b.ts'],
  'api-sits-on-core': ['schema/a.ts', 'workers/b.ts'],
  'lib-is-a-leaf': ['src/lib/a.ts', 'src/errors.ts'],
  'sandbox-stands-alone': ['functions-runtime/a.ts', 'src/lib/b.ts'],
  'only-the-server-sees-the-schema': ['src/modules/a.ts', 'schema/b.ts'],
  'nothing-imports-an-entry-point': ['src/a.ts', 'src/main.ts'],
  'no-test-code-in-production': ['src/a.ts', 'src/testing/planted.ts'],
}

for (const [rule, [from, to]] of Object.entries(forbidden)) {
  test(`${rule}: ${from} may not import ${to}`, async () => {
    const path = `${'../'.repeat(from.split('/').length - 1)}${to}`
    // A type-only import is an import too.
    plant({ [from]: `import type { B } from '${path}'\nexport type A = B\n`, [to]: 'export type B = 1\n' })
    const { modules, violations } = await checkImports(folder)
    assert.equal(modules, 2)
    assert.ok(violations.includes(`${rule}: ${from} → ${to}`), violations.join('\n'))
  })
}

test('a cycle is found', async () => {
  plant({ 'src/a.ts': "import './b.ts'\n", 'src/b.ts': "import './a.ts'\n" })
  assert.match((await checkImports(folder)).violations.join('\n'), /no-cycles/)
})

test('what is allowed passes', async () => {
  plant({ 'schema/a.ts': "import '../src/b.ts'\n", 'src/b.ts': 'export {}\n' })
  assert.deepEqual(await checkImports(folder), { modules: 2, violations: [] })
})
