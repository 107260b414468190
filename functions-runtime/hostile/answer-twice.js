// Two answers.
// expect: INVALID_ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  res.text('one')
  res.text('two')
}
