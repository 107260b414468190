// WebAssembly's memory.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const a = []
  while (true) a.push(new WebAssembly.Memory({ initial: 16384, maximum: 65536 }))
}
