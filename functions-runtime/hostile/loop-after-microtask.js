// A loop that begins in a microtask.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  await null
  while (true);
}
