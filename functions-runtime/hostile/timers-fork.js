// Timers that make timers.
// expect: TIMEOUT
export default async ({ req, res, log, graphql, fetch, env }) => {
  const fork = () => {
    setTimeout(fork, 0)
    setTimeout(fork, 0)
  }
  try {
    fork()
  } catch {}
  await new Promise(() => {})
}
