import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'

/** Most bytes that a build writes: the archive, its packages, and what npm keeps. */
const spaceBytes = 768 * 1024 * 1024
/** Most bytes of memory of one process of a build. */
const memoryBytes = 2 * 1024 * 1024 * 1024

const root = join(import.meta.dirname, '../..')

/** What a build may look at besides its own folder; links of the system are made again as links. */
function shown(paths: readonly string[]): string[] {
  return paths.filter(existsSync).flatMap((path) => {
    const isLink = lstatSync(path).isSymbolicLink()
    return isLink ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path]
  })
}

/**
 * The beginning of a command line that seals a build off with bubblewrap: no network, nothing to read but programs, nothing
 * to write but `folder`, which has a size and is gone with it.
 */
function sealOf(folder: string, also: readonly string[], space: number): string[] {
  const system = shown(['/usr', '/bin', '/lib', '/lib64', '/lib32', '/etc/alternatives'])
  const ours = shown([process.execPath, join(root, 'node_modules'), join(root, 'functions-runtime')])
  return [
    ...['bwrap', '--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--clearenv'],
    ...['--uid', '65534', '--gid', '65534', '--hostname', 'build'],
    ...system,
    ...ours,
    ...['--ro-bind', join(root, 'package.json'), join(root, 'package.json')],
    ...also.flatMap((path) => ['--ro-bind', path, path]),
    ...['--proc', '/proc', '--dev', '/dev', '--size', String(space), '--tmpfs', folder],
    ...['--setenv', 'HOME', folder, '--setenv', 'TMPDIR', folder, '--chdir', folder, '--'],
  ]
}

let works: boolean | undefined

/** Whether bubblewrap is there and may do what it does. */
export function canSeal(): boolean {
  works ??= spawnSync('bwrap', sealOf('/tmp', [], 4096).slice(1).concat('true'), { stdio: 'ignore' }).status === 0
  return works
}

/** A command with walls around it, where they can be had: of memory everywhere, and of all else by bubblewrap. */
export function sealed(
  command: readonly string[],
  {
    folder,
    also,
    isSealed,
    space = spaceBytes,
  }: { folder: string; also: readonly string[]; isSealed: boolean; space?: number },
): string[] {
  const limited = existsSync('/usr/bin/prlimit') ? ['/usr/bin/prlimit', `--data=${memoryBytes}`, '--core=0'] : []
  return ['nice', '-n', '5', ...(isSealed ? sealOf(folder, also, space) : []), ...limited, ...command]
}
