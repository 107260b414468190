// Microtasks without end.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  await (function again() {
    return Promise.resolve().then(again)
  })()
}
