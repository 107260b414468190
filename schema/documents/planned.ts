import type { GraphQLResolveInfo } from 'graphql'
import type { CollectionModel, ProjectModel } from '../../src/documents/model.ts'

/** What the schema that is being executed was made of. */
export function modelOf(
  { schema }: Pick<GraphQLResolveInfo, 'schema'>,
  collectionId: string,
): { model: ProjectModel; collection: CollectionModel } {
  const model = schema.extensions.model as ProjectModel
  const collection = model.collections.get(collectionId)
  if (!collection) throw new Error(`The schema knows no collection ${collectionId}.`)
  return { model, collection }
}
