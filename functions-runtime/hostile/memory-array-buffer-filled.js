// Small buffers, filled.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const a = []
  while (true) a.push(new Uint8Array(1e6).fill(1))
}
