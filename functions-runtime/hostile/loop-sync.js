// A loop without end.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  while (true);
}
