// Catches whatever ends it, and goes on.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  for (;;) {
    try {
      for (;;);
    } catch {}
  }
}
