import type { Context } from '../context.ts'
import { Forbidden, Invalid } from '../errors.ts'
import { limitedWriteSql } from './answer-size.ts'
import { documentSql } from './document-sql.ts'
import { type Input, idOf, isDocumentId, type Path } from './input.ts'
import { insertSql, requireFew } from './insert-sql.ts'
import { isNested } from './nested.ts'
import { createNested, type OwnChange, updateNested } from './nested-write.ts'
import { type Operation, parseOperations } from './operations.ts'
import { mayCreate } from './permissions.ts'
import type { Statement } from './sql.ts'
import { updateSql } from './update-sql.ts'
import { openWriting, type Place, showsMore, type Terms, type Writing, writeDocuments } from './writing.ts'

/** Answers what the plan asks of the new document. */
export async function createDocument(ctx: Context, place: Place, input: Input): Promise<unknown> {
  const [document] = await create(ctx, place, [input], () => ['input'])
  return document
}

/** All of them or none; answers them in the order of the inputs. */
export async function createDocuments(ctx: Context, place: Place, inputs: readonly Input[]): Promise<unknown[]> {
  requireFew(inputs)
  return create(ctx, place, inputs, (i) => ['inputs', `${i}`])
}

async function create(
  ctx: Context,
  place: Place,
  inputs: readonly Input[],
  at: (i: number) => Path,
): Promise<unknown[]> {
  const writing = openWriting(ctx, place)
  if (!mayCreate(place.collection, writing.holder.write)) throw new Forbidden('You may not create documents here.')
  if (inputs.length === 0) return []
  if (inputs.some((input) => isNested(place.collection, input))) return createNested(ctx, place, inputs, at)
  // What PostgreSQL refuses it names by its id.
  const named = inputs.map((input, i) => ({ ...input, id: idOf(input, at(i)) }))
  return writeDocuments(ctx, place, writing, { inputs: named, at, isNew: true }, (answer) =>
    insertSql(writing, named, at, answer),
  )
}

/** Answers what the plan asks of the changed document. */
export async function updateDocument(ctx: Context, place: Place, input: Input, terms: Terms = {}): Promise<unknown> {
  const { id, ...set } = input
  const applied = appliedOf(terms)
  const change: OwnChange = (writing, own, linked) => ({
    inputs: [own],
    at: () => ['input'],
    condition: `t."_id" = ${writing.scope.param(isDocumentId(id) ? id : null, 'text')}`,
    each: false,
    id,
    operations: operationsOf(writing, own, terms),
    ifVersion: terms.ifVersion ?? null,
    linked,
  })
  if (isDocumentId(id) && isNested(place.collection, set)) {
    return updateNested(ctx, place, { id, set, at: ['input'], applied }, change)
  }
  const writing = openWriting(ctx, place)
  const own = change(writing, set, [])
  const sent = { inputs: [set], at: () => ['input'], applied }
  const [document] = await writeDocuments(ctx, place, writing, sent, (answer) =>
    updateSql(writing, own, (joined) =>
      limitedWriteSql(
        writing.scope,
        `select '[' || coalesce((select ${answer('w')} ${joined}), documents.refuse('absent')) || ']' as answer`,
      ),
    ),
  )
  return document
}

/**
 * What creates documents in one statement, for requests whose inputs may hold slots: `bind` gives its parameters, with the
 * actor of the request. Null where the answer, a JSON list in the order of the inputs, cannot come with it.
 */
export function compileCreate(
  services: Pick<Context, 'actor' | 'env' | 'projectId' | 'clock'>,
  { model, collection, plan }: Place,
  inputs: unknown,
  at: (place: number) => Path,
): Statement | null {
  const writing = openWriting(services, { model, collection })
  if (!mayCreate(collection, writing.holder.write) || showsMore(plan, collection.id)) return null
  return writing.statement(insertSql(writing, inputs, at, (alias) => documentSql(writing.scope, plan, alias)))
}

/** The fields that are made of what they were. */
export function appliedOf({ apply }: Terms): string[] {
  return Object.keys(apply ?? {})
}

/** A field is either set or made of what it was. */
export function operationsOf({ collection, holder }: Writing, set: Input, { apply }: Terms): Operation[] {
  const operations = parseOperations(collection, apply, holder.write)
  const twice = operations.find(({ key }) => Object.hasOwn(set, key))
  if (twice) throw new Invalid('This is set by the input already.', ['apply', twice.key])
  return operations
}
