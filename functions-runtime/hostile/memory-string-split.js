// One long text, split.
// expect: MEMORY TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  'x'.repeat(2 ** 28).split('')
}
