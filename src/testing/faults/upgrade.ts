import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fault } from './faults.ts'
import { repository } from './processes.ts'
import { type Stage, setStage } from './stage.ts'

/** The release before this one. It must be in the history of the clone that runs this. */
const previous = { version: '0.3.0', commit: '07db202407065515741c8ec9ed9df0102715f124' }

/**
 * Starts on the previous release and its data, and brings one process after the other to this one, under load: for a
 * while old and new nodes, relays and workers work side by side on the migrated database.
 */
export async function upgrade<T>(
  plantedBug: string | null,
  say: (line: string) => void,
  run: (stage: Stage, fault: Fault) => Promise<T>,
): Promise<T> {
  say(`upgrade from ${previous.version}, which is installed first`)
  const root = await checkOut()
  const stage = await setStage({ plantedBug, mongo: false, root, say })
  try {
    return await run(stage, replaceAll)
  } finally {
    await stage.close()
    await rm(root, { recursive: true, force: true })
  }
}

const replaceAll: Fault = async ({ replace, whole }) => {
  let broken = 0
  for (const index of [0, 1]) {
    for (const kind of ['worker', 'api'] as const) {
      if ((await replace(kind, index, 'SIGTERM', { root: repository })) !== 0) broken += 1
      await whole()
    }
  }
  return { broken }
}

async function checkOut(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'tendril-previous-'))
  const script = `git archive ${previous.commit} | tar -x -C "${root}"`
  const { status, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', script], { cwd: repository, encoding: 'utf8' })
  if (status !== 0) throw new Error(`The release before this one cannot be had from the history: ${stderr.trim()}`)
  // Its own packages: some of them are not among those of this one.
  const made = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`The release before this one cannot be made ready: ${made.stderr.trim()}`)
  return root
}
