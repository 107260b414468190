// Setters on Array.prototype, and its iterator, while the host is called.
// expect: ANSWER THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const caught = []
  for (const at of ['0', '1', '2']) {
    Object.defineProperty(Array.prototype, at, { configurable: true, set(value) { caught.push(this, value) }, get() {} })
  }
  const iterate = Array.prototype[Symbol.iterator]
  Array.prototype[Symbol.iterator] = function () {
    caught.push(this)
    return iterate.call(this)
  }
  try {
    crypto.randomUUID()
    new URL('https://example.com/').searchParams.get('x')
  } catch {}
  for (const at of ['0', '1', '2']) delete Array.prototype[at]
  Array.prototype[Symbol.iterator] = iterate
  const isHost = (value) => typeof value === 'object' && value !== null && 'applySync' in value
  return res.text(caught.flat().some(isHost) ? 'ESCAPED: the way out' : 'contained')
}
