// An answer that is a Proxy and loops on every touch.
// expect: TIMEOUT INVALID_ANSWER THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  return new Proxy({}, { get() { while (true); }, has() { while (true); }, getPrototypeOf() { while (true); } })
}
