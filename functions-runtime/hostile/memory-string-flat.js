// Long texts, made flat.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const a = []
  while (true) a.push('xy'.repeat(2 ** 27).split('').length)
}
