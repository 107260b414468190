// No answer, ever.
// expect: INVALID_ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  await new Promise(() => {})
}
