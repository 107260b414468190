// More timers than a run may have.
// expect: THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  for (let n = 0; n < 1e6; n++) setTimeout(() => {}, 1e6)
}
