// An error of 10 MB.
// expect: THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  throw new Error('x'.repeat(1e7))
}
