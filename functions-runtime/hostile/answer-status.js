// A status that is none.
// expect: INVALID_ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  return res.text('x', 1e9)
}
