// A regular expression that takes for ever.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  /^(a+)+$/.test('a'.repeat(40) + 'b')
}
