// An array that grows.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const a = []
  while (true) a.push(new Array(1000).fill(1.1))
}
