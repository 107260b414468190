// Native code that takes long, again and again.
// expect: TIMEOUT MEMORY THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const a = new Float64Array(3e6)
  while (true) a.sort()
}
