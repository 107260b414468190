// Every builtin that the bootstrap might use is replaced by one that looks at what it is given.
// expect: ANSWER THREW INVALID_ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  let escaped = false
  const look = (value) => {
    try {
      if (value !== null && (typeof value === 'object' || typeof value === 'function') && 'applySync' in value) escaped = true
    } catch {}
  }
  const spy = (owner, name) => {
    const before = owner[name]
    owner[name] = function (...args) {
      look(this)
      for (const one of args) look(one)
      return Reflect.apply(before, this, args)
    }
  }
  for (const [owner, names] of [
    [JSON, ['parse', 'stringify']],
    [Function.prototype, ['call', 'apply', 'bind']],
    [Map.prototype, ['get', 'set', 'has', 'delete']],
    [Promise.prototype, ['then', 'catch', 'finally']],
    [Object, ['freeze', 'assign', 'create', 'entries', 'fromEntries', 'defineProperty']],
    [String.prototype, ['slice', 'indexOf', 'startsWith']],
  ]) for (const name of names) spy(owner, name)
  crypto.randomUUID()
  await new Promise((done) => setTimeout(done, 1))
  new URL('https://example.com/?a=b').searchParams.get('a')
  return res.text(escaped ? 'ESCAPED: the way out was seen' : 'contained')
}
