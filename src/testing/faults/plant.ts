/** Loaded before each process of a run. Where a bug is named, what is loaded from here on has the bug in it. */
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { bugs, readBug } from './bugs.ts'

const bug = readBug(process.env.FAULTS_BUG)
const staged = `fault_staged_${(process.env.FAULTS_NAME ?? '').replaceAll('-', '_')}`
const root = `${pathToFileURL(join(import.meta.dirname, '../../..')).href}/`
const changes = bug === null ? [] : (bugs[bug]?.changes ?? [])

registerHooks({
  load: (url, context, next) => {
    const loaded = next(url, context)
    const mine = changes.filter(({ file }) => url === root + file)
    if (mine.length === 0) return loaded
    const source = mine.reduce((text, { file, find, replace }) => {
      if (text.search(find) < 0)
        throw new Error(`The planted bug "${bug}" no longer fits ${file}: bring bugs.ts up to date.`)
      return text.replace(find, replace.replace('fault_staged_NAME', staged))
    }, String(loaded.source))
    return { ...loaded, source }
  },
})

/** What a process has staged when it is killed is gone with the table that the next of its name makes. */
async function stage(): Promise<void> {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  client.on('error', () => {})
  await client.connect()
  await client.query(`drop table if exists ${staged}; create table ${staged} (like events.outbox including all)`)
  const move = `with gone as (delete from ${staged} returning *) insert into events.outbox overriding user value select * from gone`
  setInterval(() => void client.query(move).catch(() => {}), 150).unref()
}

if (bug === 'publish-after-commit') await stage()
