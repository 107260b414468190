// A header that is two.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  try {
    await fetch('http://OUTSIDE/headers', { headers: { a: 'b\r\nx-injected: yes' } })
  } catch {
    return res.text('contained')
  }
  return res.text('ESCAPED')
}
