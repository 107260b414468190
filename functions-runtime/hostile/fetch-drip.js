// An answer that comes a byte at a time.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  try {
    const response = await fetch('http://OUTSIDE/drip')
    return res.text(`ESCAPED: ${response.status}`)
  } catch (error) {
    return res.text(`contained: ${error.name}`)
  }
}
