// The start of a run, once more.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  if (typeof globalThis.__run === 'function') return res.text('ESCAPED: __run')
  return res.text('contained')
}
