// An answer of 1 GB.
// expect: ANSWER TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  try {
    const response = await fetch('http://OUTSIDE/large')
    return res.text(`ESCAPED: ${response.status}`)
  } catch (error) {
    return res.text(`contained: ${error.name}`)
  }
}
