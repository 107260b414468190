// Shared buffers.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const a = []
  while (true) a.push(new Uint8Array(new SharedArrayBuffer(1e8)).fill(1))
}
