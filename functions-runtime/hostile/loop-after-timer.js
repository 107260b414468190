// A loop that begins after the host has called back.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  await new Promise((done) => setTimeout(done, 5))
  while (true);
}
