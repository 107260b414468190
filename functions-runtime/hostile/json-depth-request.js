// Arguments for the host that are deeper than it can go.
// expect: ANSWER THREW TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  let deep = {}
  for (let n = 0; n < 1e5; n++) deep = { deep }
  try {
    await graphql('{ a }', deep)
  } catch {}
  return res.text('contained')
}
