// What looks like a Response, and is none.
// expect: INVALID_ANSWER THREW ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  return { status: 200, arrayBuffer: 1, headers: { toJSON: () => ({ __proto__: null, a: 'b' }) }, take: async () => 'contained', formType: async () => null }
}
