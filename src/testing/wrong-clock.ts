import { existsSync, globSync, writeFileSync } from 'node:fs'

const library = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0]

/** Why no process can have a wrong clock here, null where it can. */
export const whyNoWrongClock = library && existsSync(library) ? null : 'libfaketime is not installed'

/** What makes the wall clock of a child process wrong by what is set, also while it runs. How fast time goes is left as it is. */
export function createWrongClock(file: string) {
  const set = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}`)
  set(0)
  const env = {
    LD_PRELOAD: library ?? '',
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  }
  return { set, env }
}
