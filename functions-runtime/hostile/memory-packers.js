// A thousand streams that pack, each of which takes memory outside.
// expect: THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const kept = []
  for (let n = 0; n < 1_000; n += 1) {
    const { readable, writable } = new CompressionStream('deflate')
    kept.push(readable, writable.getWriter().write(crypto.getRandomValues(new Uint8Array(60_000))))
  }
  return res.text('ESCAPED: ' + kept.length)
}
