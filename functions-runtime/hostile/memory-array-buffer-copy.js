// A buffer that is copied into an array.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const b = new ArrayBuffer(100 * 1024 * 1024)
  const v = new Array(b.byteLength)
  const a = new Uint8Array(b)
  let i = v.length
  while (i--) v[i] = a[i]
}
