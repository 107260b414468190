// A buffer that grows in place.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const b = new ArrayBuffer(1, { maxByteLength: 2 ** 31 })
  for (let n = 1e6; ; n += 1e6) {
    b.resize(n)
    new Uint8Array(b).fill(1, n - 1e6)
  }
}
