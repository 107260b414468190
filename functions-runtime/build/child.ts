/**
 * One build, in a process of its own: the archive comes by stdin, the artefact goes by stdout, and lines of JSON by stderr.
 * It holds nothing but the archive, and where bubblewrap is, it sees nothing else.
 */
import { mkdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { noSpace, unpack } from './archive.ts'
import { bundle } from './bundle.ts'
import type { Asked, Told } from './child-protocol.ts'
import { BuildFailed } from './failure.ts'
import { install, needsInstall } from './install.ts'

const { entrypoint, folder, npm, registry }: Asked = JSON.parse(process.argv[2] ?? '')

function say(told: Told): void {
  writeSync(2, `${JSON.stringify(told)}\n`)
}

async function build(): Promise<void> {
  const tell = (text: string, level: 'log' | 'error' = 'log') => say({ line: { at: Date.now(), level, text } })
  const code = join(folder, 'code')
  mkdirSync(code)
  await unpack(process.stdin, code)
  if (needsInstall(code)) await install(code, npm, registry, tell)
  const artefact = await bundle(code, entrypoint, tell)
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(artefact, (error) => (error ? reject(error) : resolve()))
  })
}

function explain(error: unknown): string | null {
  if (error instanceof BuildFailed) return error.message
  const { code, message = '' } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT' || /no space left|ENOSPC/i.test(message) ? noSpace : null
}

try {
  await build()
  process.exit(0)
} catch (error) {
  const failed = explain(error)
  say(failed === null ? { broken: String((error as Error).stack) } : { failed })
  rmSync(join(folder, 'code'), { recursive: true, force: true })
  process.exit(1)
}
