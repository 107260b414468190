// Calls itself without end.
// expect: THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const again = () => again() + 1
  again()
}
