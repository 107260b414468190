// JSON that is deeper than a parser can go.
// expect: THREW ANSWER MEMORY TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  return res.text(String(JSON.parse('['.repeat(5e6))))
}
