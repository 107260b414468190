// A hundred thousand lines.
// expect: ANSWER TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  for (let n = 0; n < 2e4; n++) console.log('line', n)
  return res.text('contained')
}
