// Function constructors of every kind, and of everything the host gives.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const values = [globalThis, res, req, env, log, console, fetch, graphql, setTimeout, crypto, crypto.subtle, new URL('x:y')]
  const kinds = [Function, (async () => {}).constructor, (function* () {}).constructor, (async function* () {}).constructor]
  for (const value of values) for (let at = value; at; at = Object.getPrototypeOf(at)) if (at.constructor?.constructor) kinds.push(at.constructor.constructor)
  for (const kind of kinds) {
    try {
      const got = kind("return typeof process + typeof require + typeof __host")()
      if (typeof got === 'string' && got !== 'undefinedundefinedundefined') return res.text(`ESCAPED: ${got}`)
    } catch {}
  }
  return res.text('contained')
}
