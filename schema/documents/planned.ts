import type { GraphQLResolveInfo } from 'graphql'
import type { CollectionModel, ProjectModel } from '../../src/documents/model.ts'
import type { Models } from '../../src/documents/models.ts'

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

/** The projects' models as they are, whatever the schema was made of. */
export function modelsOf({ schema }: Pick<GraphQLResolveInfo, 'schema'>): Models {
  return schema.extensions.models as Models
}
