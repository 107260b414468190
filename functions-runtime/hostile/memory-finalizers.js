// Finalizers that make more garbage.
// expect: MEMORY TIMEOUT THREW ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const registry = new FinalizationRegistry(() => make())
  function make() {
    for (let n = 0; n < 100; n++) registry.register(new Array(1e4).fill(n), n)
  }
  for (let n = 0; n < 1e4; n++) {
    make()
    await null
  }
  return res.text('contained')
}
