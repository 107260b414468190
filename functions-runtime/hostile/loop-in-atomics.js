// Waits for what nobody wakes.
// expect: TIMEOUT THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
