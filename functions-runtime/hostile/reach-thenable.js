// An answer with a `then`, which the bootstrap awaits.
// expect: ANSWER INVALID_ANSWER THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  let got
  const answer = { then(resolve) { got = resolve; resolve(res.text(typeof resolve.applySync === 'function' ? 'ESCAPED' : 'contained')) } }
  return answer
}
