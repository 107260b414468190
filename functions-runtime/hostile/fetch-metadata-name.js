// What a cloud tells its machines, by a name.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  try {
    const response = await fetch('http://metadata.google.internal/computeMetadata/v1/')
    return res.text(`ESCAPED: ${response.status}`)
  } catch (error) {
    return res.text(`contained: ${error.name}`)
  }
}
