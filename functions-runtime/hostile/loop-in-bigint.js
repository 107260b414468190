// A number of a thousand million digits.
// expect: TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const x = 2n ** (2n ** 29n)
  return res.text(String(x * x).slice(0, 5))
}
