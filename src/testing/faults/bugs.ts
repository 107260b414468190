/**
 * Bugs that a run plants to show that it would find them. Most are changes of a file's text while a process of the run
 * loads it (`plant.ts`): nothing in the file knows of it, and no other process can. The others concern the run itself.
 */
export type TextChange = { file: string; find: RegExp; replace: string }

type Bug = {
  /** What it makes of a run: this is not zero. */
  shows: 'lost' | 'duplicatedEffects' | 'broken' | 'failed' | 'untyped'
  /** Faults whose run must find it. */
  foundBy: readonly string[]
  changes: readonly TextChange[]
}

export const bugs: Record<string, Bug> = {
  /** An event is written after the change was committed and acknowledged, instead of with it. */
  'publish-after-commit': {
    shows: 'lost',
    foundBy: ['kill-api'],
    changes: [
      { file: 'src/event.ts', find: /insert into events\.outbox/, replace: 'insert into fault_staged_NAME' },
      {
        file: 'src/documents/outbox-sql.ts',
        find: /insert into events\.outbox/,
        replace: 'insert into fault_staged_NAME',
      },
    ],
  },
  /** The relay takes events out of the outbox in one transaction and brings them into the log in another. */
  'two-steps': {
    shows: 'lost',
    foundBy: ['kill-relay'],
    changes: [
      {
        file: 'workers/relay/batch.ts',
        find: /return rowsOf\(await client\.query\(runBatch\)\)\n {2}\} catch/,
        replace: `const taken = (await client.query('with gone as (delete from events.outbox returning *) select to_jsonb(gone) as row from gone')).rows
    await new Promise((resolve) => setTimeout(resolve, 400))
    await client.query('insert into events.outbox overriding user value select (jsonb_populate_record(null::events.outbox, row)).* from jsonb_array_elements($1) row', [JSON.stringify(taken.map(({ row }) => row))])
    return rowsOf(await client.query(runBatch))
  } catch`,
      },
    ],
  },
  /** A relay that is frozen keeps the lead for ever. */
  'no-takeover': {
    shows: 'broken',
    foundBy: ['stop-relay'],
    changes: [
      { file: 'workers/leadership.ts', find: /return rows\.length > 0/, replace: 'return false' },
      { file: 'workers/leadership.ts', find: /select pg_terminate_backend\(l\.pid\)/, replace: 'select l.pid' },
    ],
  },
  /** What Redis says is all there is: no hole is looked for. */
  'trust-redis': {
    shows: 'lost',
    foundBy: ['kill-redis', 'cut-link'],
    changes: [
      { file: 'src/tail/reader.ts', find: /prev === ring\.last\(\) && /, replace: '' },
      { file: 'src/tail/reader.ts', find: /(const onHead = \(seq: bigint\) => \{)/, replace: '$1 if (seq) return' },
    ],
  },
  /** A listener that comes back does not say where it was. */
  'no-resume': { shows: 'lost', foundBy: ['kill-sink'], changes: [] },
  /** A job's effect does not look whether it has been there already. */
  'no-inbox': { shows: 'duplicatedEffects', foundBy: ['kill-worker'], changes: [] },
  /** PostgreSQL acknowledges what it has not written down. */
  'async-commit': { shows: 'lost', foundBy: ['kill-postgres'], changes: [] },
  /** That there is no room is an answer that no client can go by. */
  'no-words': {
    shows: 'untyped',
    foundBy: ['disk-full'],
    changes: [{ file: 'src/http/unavailable.ts', find: /08\|53\|57P/, replace: '08' }],
  },
  /** The bridge goes on when the queue has not taken a job, and nobody looks for what is owed. */
  'cursor-first': {
    shows: 'lost',
    foundBy: ['mongo-down'],
    changes: [
      { file: 'workers/bridge.ts', find: /await enqueueAll\(queue, owed\.flat\(\)\)/, replace: '$&.catch(() => {})' },
      { file: 'workers/bridge.ts', find: /(async function sweep\([^{]*\{)/, replace: '$1 if (services) return' },
    ],
  },
  /** Nobody looks for what is owed. */
  'no-sweep': {
    shows: 'lost',
    foundBy: ['mongo-empty'],
    changes: [
      { file: 'workers/bridge.ts', find: /(async function sweep\([^{]*\{)/, replace: '$1 if (services) return' },
    ],
  },
  /** A node that is told to leave leaves at once. */
  abrupt: {
    shows: 'failed',
    foundBy: ['rolling-restart'],
    changes: [{ file: 'src/main.ts', find: /await api\.close\(drainMs\)/, replace: 'process.exit(0)' }],
  },
  /** The clock goes by its process' own time. */
  'own-clock': {
    shows: 'broken',
    foundBy: ['clock-jump'],
    changes: [
      {
        file: 'workers/schedules.ts',
        find: /return rows\[0\]\?\.now \?\? new Date\(\)/,
        replace: 'return rows ? new Date() : new Date(0)',
      },
    ],
  },
  /** A new relay passes over some of what the nodes before it have written. */
  'skips-some': {
    shows: 'lost',
    foundBy: ['upgrade'],
    changes: [
      {
        file: 'workers/relay/batch.ts',
        find: /select ctid from events\.outbox order by/,
        replace: 'select ctid from events.outbox where position % 20 <> 0 order by',
      },
    ],
  },
}

export const bugNames = Object.keys(bugs)

/** Reads the switch. Outside of tests there is none to read. */
export function readBug(name: string | undefined, nodeEnv = process.env.NODE_ENV): string | null {
  if (!name) return null
  if (nodeEnv !== 'test') throw new Error('A bug can be planted only where NODE_ENV is "test".')
  if (!(name in bugs)) throw new Error(`There is no bug "${name}" to plant. There are: ${bugNames.join(', ')}.`)
  return name
}
