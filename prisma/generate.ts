/** Writes `prisma/client/`. The schema engine is not needed for that, so its download is turned off. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const prisma = fileURLToPath(import.meta.resolve('prisma/build/index.js'))
const { status, stderr } = spawnSync(process.execPath, [prisma, 'generate', '--config', 'prisma/prisma.config.ts'], {
  cwd: new URL('..', import.meta.url),
  env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
  encoding: 'utf8',
})
if (status !== 0) process.stderr.write(stderr)
process.exit(status ?? 1)
