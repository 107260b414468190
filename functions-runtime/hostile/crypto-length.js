// A key that takes minutes to derive, since it is long.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const key = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits', 'deriveKey'])
  const from = { name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 1e6 }
  const length = 256 * 1_000
  const ways = [
    () => crypto.subtle.deriveBits(from, key, length),
    () => crypto.subtle.deriveKey(from, key, { name: 'HMAC', hash: 'SHA-512', length }, true, ['sign']),
  ]
  for (const way of ways) {
    const refused = await way().then(() => false, () => true)
    if (!refused) return res.text('ESCAPED')
  }
  return res.text('contained')
}
