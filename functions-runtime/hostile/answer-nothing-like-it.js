// What is no answer.
// expect: INVALID_ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  return new Map([[1, new WeakMap()]])
}
