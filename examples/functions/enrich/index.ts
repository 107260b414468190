/** A post is new: another service says in which language it is and how many words it has, and that is written beside it. */
import type { FunctionContext } from 'tendril/functions'
import { gql } from './generated/gql.ts'

type Created = { data: { id: string; after: { body: string } } }
type Reading = { language: string; words: number }

const enrich = gql(`mutation Enrich($input: UpdatePostInput!) { updatePost(input: $input) { id language words } }`)

export default async ({ req, res, env, log, fetch, graphql }: FunctionContext) => {
  const { data }: Created = await req.json()
  const answer = await fetch(`${env.READING_URL}/read`, { method: 'POST', body: data.after.body })
  if (!answer.ok) throw new Error(`The reading service answers ${answer.status}.`)
  const { language, words } = (await answer.json()) as Reading
  const { updatePost } = await graphql(enrich, { input: { id: data.id, language, words } })
  log(`${data.id} has ${updatePost.words} words`)
  return res.json(updatePost)
}
