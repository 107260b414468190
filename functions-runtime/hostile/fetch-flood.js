// Ten thousand calls at once.
// expect: ANSWER TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  let refused = 0
  await Promise.all(Array.from({ length: 1e4 }, () => fetch('http://127.0.0.1:CANARY/').catch(() => { refused++ })))
  return res.text(refused === 1e4 ? 'contained' : 'ESCAPED')
}
