// Throws what loops when it is looked at.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  const bad = new Error('x')
  Object.defineProperty(bad, 'message', { get() { while (true); } })
  throw bad
}
