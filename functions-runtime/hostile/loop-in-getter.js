// An answer whose properties loop when they are read.
// expect: TIMEOUT INVALID_ANSWER THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  return { get status() { while (true); }, get headers() { while (true); }, take() {}, arrayBuffer() {} }
}
