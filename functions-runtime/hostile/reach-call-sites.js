// Frames of the bootstrap, by the structure of a stack.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const found = []
  Error.prepareStackTrace = (_, sites) => {
    for (const site of sites) {
      for (const value of [site.getThis?.(), site.getFunction?.()]) {
        if (value && (value.applySync || /applySync|__host/.test(String(value)))) found.push(String(value).slice(0, 50))
      }
    }
    return ''
  }
  const look = () => void new Error('x').stack
  const before = JSON.stringify
  JSON.stringify = (...args) => (look(), before(...args))
  String.prototype.indexOf = function () { look(); return 0 }
  try {
    crypto.randomUUID()
  } catch {}
  try {
    new URL('x:y')
  } catch {}
  return res.text(found.length === 0 ? 'contained' : `ESCAPED: ${found}`)
}
