// Calls the host at every depth, and looks at what is thrown at the end of the stack.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const seen = []
  let deepest = 0
  const measure = (depth) => {
    deepest = depth
    measure(depth + 1)
  }
  try {
    measure(0)
  } catch {}
  const again = (depth) => {
    try {
      if (depth > deepest - 200) crypto.randomUUID()
      again(depth + 1)
    } catch (error) {
      if (seen.length < 100) seen.push(error)
    }
  }
  again(0)
  const foreign = seen.filter((error) => !(error instanceof Error) || error.constructor.constructor('return typeof process')() !== 'undefined')
  return res.text(foreign.length === 0 ? 'contained' : `ESCAPED: ${foreign.length} errors of another realm`)
}
