// An answer after the time is over.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  const until = Date.now() + 3_000
  while (Date.now() < until);
  console.log('ESCAPED: said after the end')
  return res.text('ESCAPED: late')
}
