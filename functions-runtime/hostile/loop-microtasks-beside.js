// Microtasks without end, beside an answer that never comes.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  const again = () => Promise.resolve().then(again)
  again()
  await new Promise(() => {})
}
