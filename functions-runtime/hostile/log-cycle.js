// Values that refer to themselves, and that throw when they are looked at.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const a = {}
  a.a = a
  console.log(a, new Proxy({}, { ownKeys() { throw new Error('no') } }), { toString() { throw 1 } }, Object.create(null))
  return res.text('contained')
}
