// A method that is a whole request.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  try {
    await fetch('http://OUTSIDE/headers', { method: 'GET / HTTP/1.1\r\nx: y' })
  } catch {
    return res.text('contained')
  }
  return res.text('ESCAPED')
}
