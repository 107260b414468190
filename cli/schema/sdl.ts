import type { IntrospectionQuery } from 'graphql'
import { type Command, print } from '../command.ts'

/** The same API makes the same text, in whatever order it was made: it can be committed, and its changes reviewed. */
export const schemaPrint: Command = {
  name: 'schema print',
  usage: '',
  summary: "Prints the project's API in GraphQL's own language, as the owner of the key sees it.",
  options: {},
  words: 0,
  run: async ({ api }) => {
    // The other commands do without it, and begin sooner.
    const { buildClientSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema } = await import('graphql')
    const question = getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true, oneOf: true })
    const answer = await api().request<IntrospectionQuery>(question)
    print(printSchema(lexicographicSortSchema(buildClientSchema(answer))))
    return 0
  },
}
