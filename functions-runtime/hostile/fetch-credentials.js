// A name and a password in the address.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  try {
    const response = await fetch('http://user:secret@127.0.0.1:CANARY/')
    return res.text(`ESCAPED: ${response.status}`)
  } catch (error) {
    return res.text(`contained: ${error.name}`)
  }
}
