// The caller of a function that the bootstrap calls.
// expect: ANSWER THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const found = []
  function spy() {
    try {
      for (let at = spy.caller, n = 0; at && n < 10; at = at.caller, n++) {
        found.push(at)
        if (at.arguments && Array.from(at.arguments).some((one) => one?.applySync)) return 'ESCAPED'
      }
    } catch {}
    return 'contained'
  }
  let verdict = 'contained'
  const log2 = { toString() { verdict = spy(); return 'x' } }
  console.log(`${log2}`, log2)
  String(new URL({ toString: () => (log2.toString(), 'x:y') }))
  return res.text(verdict)
}
