import type { Context } from '../context.ts'
import { AppError, Invalid } from '../errors.ts'
import { type Asked, decide } from '../modules/executions/decide.ts'
import { askedOf, hooksOf } from './hooked.ts'
import { type Arrived, RowRefused, tryArrive } from './import-rows.ts'
import type { CollectionModel, ProjectModel } from './model.ts'

type Place = { model: ProjectModel; collection: CollectionModel; kind: 'create' | 'upsert' }

/** Has functions decide on a batch of rows, as one operation. Answers the rows as they are then; throws RowRefused. */
export async function decideImport(ctx: Context, place: Place, batch: readonly Arrived[]): Promise<readonly Arrived[]> {
  const { model, collection, kind } = place
  let rows = batch
  if (rows.length === 0) return rows
  for (const hook of hooksOf(model, collection, kind)) {
    const asked: Asked = {
      ...askedOf(collection, kind),
      inputs: rows.map(({ input }) => input),
      terms: {},
      at: (i) => ['inputs', `${i}`],
      whyNot: (inputs) => (inputs.every(isObject) ? null : 'Each input is an object.'),
    }
    const inputs = await decide(ctx, hook, asked).catch((error) => {
      throw error instanceof AppError ? refused(rows, error) : error
    })
    if (inputs) rows = rows.map((row, i) => again(ctx, collection, row, inputs[i] ?? {}))
  }
  return rows
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The batch is refused as a whole; the row that the function has named is told, or its first. */
function refused(rows: readonly Arrived[], error: AppError): RowRefused {
  const [, place, ...rest] = error instanceof Invalid ? error.at : []
  const row = rows[Number(place ?? 0)]?.row ?? 0
  return new RowRefused(row, error instanceof Invalid ? new Invalid(error.message, rest) : error)
}

function again(ctx: Context, collection: CollectionModel, { row, id }: Arrived, input: Arrived['input']): Arrived {
  const arrived = tryArrive(ctx, collection, { row, input: { ...input, id } }, false)
  if (arrived instanceof RowRefused) throw arrived
  return arrived
}
