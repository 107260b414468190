import type { Database, Prisma } from '../../../prisma/client/client.ts'
import { type Context, type DbContext, transaction } from '../../context.ts'
import { Conflict, LimitExceeded, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { isOperator } from '../operators/operators.ts'
import { databaseCreated, databaseDeleted, databaseUpdated } from './events.ts'
import { checkKey, checkName, isId } from './names.ts'
import { lockSchema, raiseRevision } from './revision.ts'

/** Most databases in a project. */
export const databaseLimit = 100

/** Whether this caller works on the project that is asked: its members, its keys, and Tendril itself. */
export function mayReadSchema(ctx: Pick<Context, 'actor'>): boolean {
  return isOperator(ctx)
}

/** The databases of the project that is asked. End users and guests see none: they see types. */
export function visibleDatabases(ctx: Pick<Context, 'actor' | 'projectId'>): Prisma.DatabaseWhereInput {
  return mayReadSchema(ctx) ? { projectId: ctx.projectId } : { id: { in: [] } }
}

/** One of them by its id, outside or inside a transaction. */
export async function getDatabase(ctx: Context | DbContext, id: string): Promise<Database> {
  const where = { AND: [{ id }, visibleDatabases(ctx)] }
  const database = isId('db', id) ? await ctx.db.database.findFirst({ where }) : null
  if (!database) throw new NotFound('There is no such database.')
  return database
}

/** Makes a database. Its key must be free in the project; its name is the key if left out. */
export async function createDatabase(
  ctx: Context,
  input: { key: string; name?: string | null | undefined },
): Promise<Database> {
  const { projectId } = ctx
  const { key } = input
  checkKey(key, ['input', 'key'])
  const name = checkName(input.name ?? key, ['input', 'name'])
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    if (await tx.db.database.findUnique({ where: { projectId_key: { projectId, key } } })) {
      throw new Conflict(`This project already has a database “${key}”.`, ['input', 'key'])
    }
    if ((await tx.db.database.count({ where: { projectId } })) >= databaseLimit) {
      throw new LimitExceeded(`A project has at most ${databaseLimit} databases.`)
    }
    const database = await tx.db.database.create({ data: { id: newId('db'), projectId, key, name } })
    await emit(tx, databaseCreated, { databaseId: database.id, key })
    return database
  })
}

/** Gives a database another name. Its key stays: programs know it by that. */
export async function updateDatabase(
  ctx: Context,
  id: string,
  changes: { name?: string | null | undefined },
): Promise<Database> {
  const name = changes.name == null ? null : checkName(changes.name, ['input', 'name'])
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    const { key } = await getDatabase(tx, id)
    const database = await tx.db.database.update({ where: { id }, data: name === null ? {} : { name } })
    await emit(tx, databaseUpdated, { databaseId: id, key })
    return database
  })
}

/**
 * Deletes a database with all that is in it. Its types are gone at once; the worker drops their tables. Refused while a
 * collection of another database points into it.
 */
export async function deleteDatabase(ctx: Context, id: string): Promise<string> {
  return transaction(ctx, async (tx) => {
    await lockSchema(tx)
    const { key } = await getDatabase(tx, id)
    const pointer = await tx.db.attribute.findFirst({
      where: {
        relatedCollection: { databaseId: id },
        collection: { databaseId: { not: id } },
        status: { not: 'DELETING' },
      },
      include: { collection: true },
    })
    if (pointer)
      throw new Conflict(`“${pointer.collection.key}.${pointer.key}” points into it: delete that attribute first.`)
    await tx.db.database.delete({ where: { id } })
    await emit(tx, databaseDeleted, { databaseId: id, key })
    await raiseRevision(tx)
    return id
  })
}
