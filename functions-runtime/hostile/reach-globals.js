// Everything that can be reached from the global object, in search of the host.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const seen = new Set()
  const found = []
  const visit = (value, depth) => {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value) || depth > 8) return
    seen.add(value)
    if (/^(Reference|Isolate|ExternalCopy|Callback|NativeModule)$/.test(value?.constructor?.name ?? '')) found.push(value.constructor.name)
    for (const key of Reflect.ownKeys(value)) {
      try {
        visit(value[key], depth + 1)
      } catch {}
    }
    visit(Object.getPrototypeOf(value), depth + 1)
  }
  visit(globalThis, 0)
  for (const name of ['process', 'require', 'module', 'Buffer', '__host', '__boot', '__run', 'ivm']) if (name in globalThis) found.push(name)
  return res.text(found.length === 0 ? 'contained' : `ESCAPED: ${found}`)
}
