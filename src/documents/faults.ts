import { AppError, Conflict, Forbidden, Invalid, LimitExceeded, NotFound, Unavailable } from '../errors.ts'
import { answerTooLarge } from './answer-size.ts'
import type { CollectionModel, Column, FieldRights, ProjectModel } from './model.ts'
import { mayUse, readsAll } from './permissions.ts'
import type { Caller, Roles } from './scope.ts'

/** Whose schema the words may speak of. */
type Shown = { model: ProjectModel; reader: Caller }

type Fault = { code?: string; detail?: string; table?: string; constraint?: string; column?: string }

/**
 * What PostgreSQL refused, as an error that the caller, of these roles, may read; anything else as it is. PostgreSQL does not
 * say which row it was: the path of such an error begins with `input`.
 */
export function translate(
  error: unknown,
  collection: CollectionModel | null,
  roles: Roles = null,
  shown: Shown | null = null,
): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error
  const { code, constraint, column } = error as Fault
  switch (code) {
    case 'TD001':
      return refusal(error.message)
    case '23505':
      return taken(fieldsOf(error, collection, roles))
    case '23503':
      return isPointedAt(error)
        ? new Conflict(`${pointingAt(error, shown)} point at this one.`, ['input'])
        : unrelated(fieldsOf(error, collection, roles)[0])
    case '23502':
      return new Invalid('This is required.', ['input', ...keyOf(collection, ({ name }) => name === column)])
    case '23514':
      return broken(constraint ?? '', collection)
    case '22003':
    case '22008':
      if (!collection) return new Invalid('What is computed of these documents is out of its range.', [])
      return new Invalid('A value is out of its range.', ['input', ...computedNumber(collection, roles)])
    case '22012':
    case '2201F':
      return new Invalid('This number does not exist: a division by zero, or its like.', ['input'])
    // A table or a column is gone, or of another type than it was: this node does not know yet.
    case '42P01':
    case '42703':
    case '42804':
    case '42846':
    case '42883':
      return new Unavailable('The schema of this project is being changed. Try again.', { cause: error })
    case '57014':
      return new LimitExceeded('This takes longer than a statement may.')
    case '40001':
    case '40P01':
    case '55P03':
      return new Unavailable('This met another change of the same documents. Try again.', { cause: error })
    case '54000':
      if (collection) return new LimitExceeded('A value is too long for an index that it would be in.')
      return new LimitExceeded('This asks for more than one statement can hold.')
    case '54001':
    case '54011':
      return new LimitExceeded('This asks for more than one statement can hold.')
    default:
      return error
  }
}

/** Said of a document that has these values already, whether the caller may read it or not. */
export function taken(keys: readonly string[], at: readonly string[] = ['input']): Conflict {
  return new Conflict(`Another document has this ${keys.join(', ') || 'value'}.`, [...at, ...keys.slice(0, 1)])
}

/** Said of what is to be changed, where it is not there or the caller may not read it. */
export function absent(at: readonly string[]): NotFound {
  return new NotFound('There is no such document.', at)
}

/** Said of a document that another is to point at, where it is not there or the caller may not read it. */
export function unrelated(key: string | undefined, at: readonly string[] = ['input']): Invalid {
  return new Invalid('There is no such document.', [...at, ...[key ?? []].flat()])
}

/** Why a statement refused: a word, and what it is about. */
function refusal(reason: string): AppError {
  const [word, place, ...about] = reason.split(':')
  const rest = about.join(':')
  switch (word) {
    case 'absent':
      return absent(['input', 'id'])
    case 'forbidden':
      return new Forbidden('You may not change this document.', placeAmong(place))
    case 'rule':
      return new Forbidden('You may not write a document like this.', placeAmong(place))
    case 'version':
      return new Conflict('The document has been changed since: its version is another.', ['ifVersion'])
    case 'related':
      return unrelated(rest, place?.split('.'))
    case 'grant':
      return new Forbidden(`You may not grant the role ${rest}: you do not hold it.`)
    case 'bounds':
      return new Invalid('This would pass its bounds.', ['apply', rest])
    case 'size':
      return new LimitExceeded('A document has at most 1,000,000 bytes as JSON.')
    case 'answer':
      return answerTooLarge()
    default:
      return new LimitExceeded('One call changes at most 10,000 documents.')
  }
}

/** Of several which one: of one there is nothing to tell. */
function placeAmong(place = ''): string[] {
  const [root = '', ...rest] = place.split('.')
  return rest.length === 0 ? [] : [root, ...rest]
}

const breaches: Readonly<Record<string, string>> = {
  size: 'This is too long.',
  min: 'This is too small.',
  max: 'This is too great.',
  pattern: 'This does not match its pattern.',
  elements: 'This is not one of its values.',
  items: 'A list has at most 5,000 items, and no null.',
}

/** Constraints are named after their attribute. */
function broken(constraint: string, collection: CollectionModel | null): Invalid {
  const [, id = '', what = ''] = /^(.*)_([a-z]+)$/.exec(constraint) ?? []
  const key = keyOf(collection, ({ attributeId }) => attributeId === id)
  return new Invalid(breaches[what] ?? 'A value is missing or out of its bounds.', ['input', ...key])
}

/** What is given has been looked at, so it is what is computed of it that passes its range: named where there is no other. */
function computedNumber({ columns }: CollectionModel, roles: Roles): string[] {
  const made = [...columns.values()].filter(({ computed, type }) => computed && numbers.has(type))
  return made.length === 1 && mayUse(made[0]?.rights ?? null, 'read', roles) ? made.map(({ key }) => key) : []
}

const numbers: ReadonlySet<string> = new Set(['INTEGER', 'BIGINT', 'FLOAT', 'DECIMAL'])

function keyOf(collection: CollectionModel | null, is: (column: Column) => boolean): string[] {
  const column = [...(collection?.columns.values() ?? [])].find(is)
  return column ? [column.key] : []
}

/**
 * The columns that PostgreSQL names and the text of their values: `Key (slug, "userName")=(a, b) already exists.` What it
 * says of other faults holds the whole row, with what the caller may not read.
 */
export function keyOfFault(error: unknown): { names: readonly string[]; value: string } | null {
  const { code, detail } = error as Fault
  if (code !== '23505' && code !== '23503') return null
  const [, list, value] = /^[^(]*\((.*?)\)=\((.*)\)[^)]*$/s.exec(detail ?? '') ?? []
  if (list === undefined || value === undefined) return null
  return { names: list.split(', ').map((name) => name.replaceAll('"', '')), value }
}

/**
 * Whether documents that stay point at one that goes. PostgreSQL names the key that is missed then, and otherwise the column
 * that points nowhere: its words depend on its language and its release.
 */
function isPointedAt(error: unknown): boolean {
  return keyOfFault(error)?.names[0] === '_id'
}

/**
 * The id of the row that is missing a value or breaks a rule of its own: `Failing row contains (doc_1, 2026-…, …)`. An id has
 * neither commas nor parentheses in it.
 */
export function idOfFault(error: unknown): string | null {
  const { code, detail } = error as Fault
  if (code !== '23502' && code !== '23514') return null
  return /^[^(]*\(([A-Za-z0-9._-]{1,64}), /.exec(detail ?? '')?.[1] ?? null
}

/** Which documents stand in the way of a delete, told to those who may read all of their collection, and where they point. */
function pointingAt(error: unknown, shown: Shown | null): string {
  const { table = '', constraint } = error as Fault
  const collection = shown?.model.collections.get(table)
  const relation = [...(collection?.neighbours.values() ?? [])].find(
    ({ attributeId, own }) => own && `${attributeId}_ref` === constraint,
  )
  const isShown =
    shown &&
    collection &&
    relation &&
    readsAll(collection, shown.reader) &&
    mayUse(relation.rights, 'read', shown.reader.roles)
  return isShown ? `Documents of \`${collection.key}\`` : 'Other documents'
}

/** The fields of the columns that PostgreSQL names, but for those that the caller may know nothing of. */
export function fieldsOf(error: unknown, collection: CollectionModel | null, roles: Roles): string[] {
  const columns = [...(collection?.columns.values() ?? [])]
  const neighbours = [...(collection?.neighbours.values() ?? [])]
  const isKnown = (rights: FieldRights | null) => mayUse(rights, 'read', roles) || mayUse(rights, 'update', roles)
  return (keyOfFault(error)?.names ?? []).flatMap((name) => {
    const field =
      columns.find((one) => one.name === name) ??
      neighbours.find(({ join }) => join.kind === 'to' && join.column === name)
    return field && isKnown(field.rights) ? [field.key] : []
  })
}
