// A public address that redirects to this machine.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  try {
    const response = await fetch('http://OUTSIDE/to-canary')
    return res.text(`ESCAPED: ${response.status}`)
  } catch (error) {
    return res.text(`contained: ${error.name}`)
  }
}
