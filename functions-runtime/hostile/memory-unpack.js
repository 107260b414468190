// Zeros that are packed and unpacked again, all of which is kept.
// expect: MEMORY CRASHED TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  const zeros = new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1e6)) })
  const unpacked = zeros.pipeThrough(new CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip'))
  await new Response(unpacked).bytes()
}
