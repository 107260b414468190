// Lines of 10 MB.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  for (let n = 0; n < 20; n++) console.log('x'.repeat(1e7))
  return res.text('contained')
}
