// What a cloud tells its machines, in IPv6.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  try {
    const response = await fetch('http://[fd00:ec2::254]/latest/meta-data/')
    return res.text(`ESCAPED: ${response.status}`)
  } catch (error) {
    return res.text(`contained: ${error.name}`)
  }
}
