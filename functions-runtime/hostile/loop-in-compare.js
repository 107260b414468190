// A loop in the comparison of a sort.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  new Array(1e4).fill(0).map((_, i) => -i).sort(() => {
    while (true);
  })
}
