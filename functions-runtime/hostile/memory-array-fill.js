// An array of a thousand million.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  Array(1e9).fill(0)
}
