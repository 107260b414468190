// Catches the end of memory, and goes on.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const a = []
  for (;;) {
    try {
      for (;;) a.push(new Uint8Array(1e7).fill(1))
    } catch {}
  }
}
