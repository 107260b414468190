// Timers that go on after the answer.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  setInterval(() => console.log('ESCAPED: still running'), 1)
  return res.text('contained')
}
