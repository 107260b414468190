// A line that would take over a terminal.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  console.log('\u001b]0;owned\u0007\u001b[2J\0\r\n')
  return res.text('contained')
}
