import { AppError, Conflict, Invalid, LimitExceeded, Unavailable } from '../errors.ts'
import type { CollectionModel } from './model.ts'

type Fault = { code?: string; detail?: string }

/** What PostgreSQL refused, as an error that the caller may read; anything else as it is. */
export function translate(error: unknown, collection: CollectionModel | null): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error
  const { code, detail } = error as Fault
  switch (code) {
    case '23505':
      return new Conflict(`Another document has this ${fieldsOf(detail, collection).join(', ') || 'value'}.`)
    case '23503':
      return detail?.includes('still referenced')
        ? new Conflict('Other documents point at this one.')
        : unrelated(fieldsOf(detail, collection)[0] ?? 'id')
    case '23502':
    case '23514':
      return new Invalid('A value is missing or out of its bounds.', ['input'])
    case '42P01':
    case '42703':
      return new Unavailable('The schema of this project is being changed. Try again.')
    case '57014':
      return new LimitExceeded('This takes longer than a statement may.')
    case '40001':
    case '40P01':
      return new Unavailable('This met another change of the same documents. Try again.')
    case '54000':
    case '54001':
    case '54011':
      return new LimitExceeded('This asks for more than one statement can hold.')
    default:
      return error
  }
}

/** Said of a document that is not there and of one that the caller may not read. */
export function unrelated(key: string): Invalid {
  return new Invalid('There is no such document.', ['input', key])
}

/** The fields of the key that PostgreSQL names: `Key (slug, "userName")=(…) already exists.` */
function fieldsOf(detail: string | undefined, collection: CollectionModel | null): string[] {
  const [, list = ''] = /^[^(]*\((.*?)\)=\(/s.exec(detail ?? '') ?? []
  const names = list.split(', ').map((name) => name.replaceAll('"', ''))
  const columns = [...(collection?.columns.values() ?? [])]
  return names.flatMap((name) => {
    const column = columns.find((one) => one.name === name)
    if (column) return [column.key]
    const neighbour = [...(collection?.neighbours.values() ?? [])].find(
      ({ join }) => join.kind === 'to' && join.column === name,
    )
    return neighbour ? [neighbour.key] : []
  })
}
