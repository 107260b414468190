// A method of the host that is none of cryptography.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const seen = []
  for (const name of ['constructor', '__proto__', 'toString', 'getPrivate']) seen.push(typeof crypto.subtle[name])
  Object.prototype.name = 'constructor'
  try {
    await crypto.subtle.digest.call({ name: 'constructor' }, 'constructor', new Uint8Array(1))
  } catch {}
  return res.text('contained')
}
