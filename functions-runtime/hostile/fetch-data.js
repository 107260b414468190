// An address that is its own answer.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  try {
    const response = await fetch('data:text/plain,hello')
    return res.text(`ESCAPED: ${response.status}`)
  } catch (error) {
    return res.text(`contained: ${error.name}`)
  }
}
