// A key that takes minutes to derive.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const key = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits'])
  try {
    await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 4e9 }, key, 512)
  } catch {
    return res.text('contained')
  }
  return res.text('ESCAPED')
}
