// An answer of 1 GB.
// expect: TOO_LARGE MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  return res.binary(new Uint8Array(1e9))
}
