// Buffers of 100 MB.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const a = []
  while (true) a.push(new ArrayBuffer(1e8))
}
