// A loop in the finally of a loop.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  try {
    while (true);
  } finally {
    while (true);
  }
}
