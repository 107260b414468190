// A text that doubles.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  let s = 'x'
  while (true) s += s
}
