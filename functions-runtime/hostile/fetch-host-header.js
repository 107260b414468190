// Another name for the host than the address has.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const response = await fetch('http://OUTSIDE/headers', { headers: { host: 'evil.example', 'transfer-encoding': 'chunked', connection: 'upgrade' } })
  const text = await response.text()
  return res.text(text.includes('evil') ? 'ESCAPED: another host' : 'contained')
}
