// JSON is replaced, and the host is told nonsense.
// expect: ANSWER THREW INVALID_ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  JSON.stringify = () => '{"__proto__": {"reference": true}, "name": "constructor"'
  JSON.parse = () => ({ get head() { throw 1 } })
  try {
    new URL('x:y')
  } catch {}
  try {
    await crypto.subtle.digest('SHA-256', new Uint8Array(1))
  } catch {}
  return res.text('contained')
}
