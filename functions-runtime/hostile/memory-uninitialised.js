// Memory of others in new buffers.
// expect: ANSWER MEMORY
export default async ({ req, res, log, graphql, fetch, env }) => {
  for (let n = 0; n < 20; n++) {
    const bytes = new Uint8Array(1e5)
    if (bytes.some((byte) => byte !== 0)) return res.text('ESCAPED: bytes of somebody')
  }
  return res.text('contained')
}
