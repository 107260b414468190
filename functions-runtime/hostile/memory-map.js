// A map that grows.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const m = new Map()
  for (let i = 0; ; i++) m.set(i, { i })
}
