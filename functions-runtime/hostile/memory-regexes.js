// Regular expressions, each another.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const a = []
  for (let i = 0; ; i++) a.push(new RegExp('a{1,1000}' + i))
}
