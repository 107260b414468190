// An object with ever more keys.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const o = {}
  for (let i = 0; ; i++) o['a' + i] = 'x'.repeat(50)
}
