// Functions, each another.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const a = []
  for (let i = 0; ; i++) a.push(Function(`return '${'x'.repeat(1000)}${i}'`))
}
