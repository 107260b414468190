// An answer of 1 GB, in pieces.
// expect: TOO_LARGE TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  let n = 0
  return new Response(new ReadableStream({ pull(c) { if (n++ < 1000) c.enqueue(new Uint8Array(1e6)); else c.close() } }))
}
