// `sync` on Object.prototype, where isolated-vm would read it as an option of the host’s.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const caught = []
  // Made before anything is spoiled: the way out itself is what is tried.
  crypto.randomUUID()
  new URL('https://example.com/')
  for (const name of ['indexOf', 'slice', 'startsWith', 'toString', 'toJSON', 'valueOf', 'then', 'length']) {
    const before = Object.prototype[name]
    Object.defineProperty(Object.prototype, name, {
      configurable: true,
      get() {
        if (this !== null && typeof this === 'object' && /Reference|ExternalCopy|Callback/.test(this.constructor?.name ?? '')) caught.push(this)
        return before
      },
      set(value) {
        Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true })
      },
    })
  }
  Object.prototype.sync = true
  const use = () => {
    const one = crypto.randomUUID()
    if (typeof one !== 'string') caught.push(one)
    const url = new URL('https://example.com/')
    if (typeof url.href !== 'string') caught.push(url.href)
  }
  try {
    use()
  } catch {}
  try {
    await crypto.subtle.digest('SHA-256', new Uint8Array(1))
  } catch {}
  const text = caught.length === 0 ? 'contained' : `ESCAPED: ${caught[0]?.constructor?.name}`
  for (const name of Object.keys(Object.prototype)) delete Object.prototype[name]
  return res.text(text)
}
