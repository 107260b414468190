// Text that is deeper than a parser can go.
// expect: THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  return res.text(String(eval('('.repeat(1e6))))
}
