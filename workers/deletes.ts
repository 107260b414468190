import { type Deletable, deletable } from '../src/modules/deletes/hanging.ts'
import { cascadeJob } from '../src/modules/deletes/jobs.ts'
import { cascade } from './deletes/cascade.ts'
import { implement, type Owed, onEvent, type Worker } from './implement.ts'

const overdueMs = 60_000

function owe(noun: Deletable, id: string): Owed {
  return { job: cascadeJob, key: `${noun}.${id}`, data: { noun, id } }
}

/** Takes away what hangs on what is deleted. Whatever of it was cut off goes on where it was: the rows that are left say so. */
export const deletes: Worker = {
  name: 'deletes',
  jobs: [implement(cascadeJob, ({ key: _key, signal, ...services }, target) => cascade(services, target, { signal }))],
  reactions: deletable.map((noun) => {
    const idOf = ({ aggregate }: { aggregate: string }) => aggregate.split('.')[1] ?? ''
    return onEvent([`${noun}.deleted`], cascadeJob, {
      key: (event) => `${noun}.${idOf(event)}`,
      data: (event) => ({ noun, id: idOf(event) }),
      // It would take its own row away with those of the project.
      isShown: false,
    })
  }),
  owed: async ({ sql, clock }) => {
    const before = new Date(clock().getTime() - overdueMs)
    const marked = deletable.map((noun) => `select '${noun}' as noun, id from ${noun} where "deletedAt" < $1`)
    const { rows } = await sql.query<{ noun: Deletable; id: string }>(marked.join(' union all '), [before])
    return rows.map(({ noun, id }) => owe(noun, id))
  },
}
