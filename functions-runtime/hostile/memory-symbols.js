// Symbols in the registry of the isolate.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  for (let i = 0; ; i++) Symbol.for('x'.repeat(1000) + i)
}
