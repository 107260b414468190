// An answer after the time is over, from a timer.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  await new Promise((done) => setTimeout(done, 2_000))
  console.log('ESCAPED: said after the end')
  return res.text('ESCAPED: late')
}
