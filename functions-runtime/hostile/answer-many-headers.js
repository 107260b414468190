// Ten thousand headers.
// expect: INVALID_ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  return res.text('x', 200, Object.fromEntries(Array.from({ length: 1e4 }, (_, i) => ['x' + i, 'y'])))
}
