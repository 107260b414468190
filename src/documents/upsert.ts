import type { Context } from '../context.ts'
import { Conflict, NotFound } from '../errors.ts'
import type { Input } from './input.ts'
import { createDocument, updateDocument } from './write.ts'
import type { Place, Terms } from './writing.ts'

/**
 * Changes the document that has the input's id, or creates it. Each try is one statement: whoever creates or deletes it in
 * between makes the next one right. One that the caller may not read is told of as `createDocument` would.
 */
export async function upsertDocument(ctx: Context, place: Place, input: Input, terms: Terms): Promise<unknown> {
  const changed = await unless(NotFound, () => updateDocument(ctx, place, input, terms))
  if (!(changed instanceof NotFound)) return changed
  const created = await unless(Conflict, () => createDocument(ctx, place, input))
  if (!(created instanceof Conflict)) return created
  const again = await unless(NotFound, () => updateDocument(ctx, place, input, terms))
  if (again instanceof NotFound) throw created
  return again
}

/** What `run` answers, or its failure where it is of this kind. */
async function unless(kind: typeof NotFound | typeof Conflict, run: () => Promise<unknown>): Promise<unknown> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof kind) return error
    throw error
  }
}
