// An answer that never ends, to somebody who reads it.
// expect: TIMEOUT TOO_LARGE
// streamed
export default async ({ req, res, log, graphql, fetch, env }) => {
  return new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1e5)) }))
}
