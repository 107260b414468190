// Errors of the host: of which realm they are, and what they say.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const errors = []
  const attempt = async (work) => {
    try {
      await work()
    } catch (error) {
      errors.push(error)
    }
  }
  await attempt(() => new URL('nonsense'))
  await attempt(() => new TextDecoder('nonsense'))
  await attempt(() => crypto.subtle.digest('nonsense', new Uint8Array(1)))
  await attempt(() => crypto.subtle.importKey('raw', 1, 2, 3, 4))
  await attempt(() => fetch('http://127.0.0.1:1/'))
  await attempt(() => fetch('nonsense://'))
  await attempt(() => graphql('{ a }', { big: 'x'.repeat(5e6) }))
  for (const error of errors) {
    const text = `${error.name} ${error.message} ${error.stack}`
    if (!(error instanceof Error)) return res.text('ESCAPED: an error of another realm')
    if (/node:|\.ts\b|\/work|node_modules|isolated-vm/.test(text.replace(/function\.js/g, ''))) return res.text(`ESCAPED: ${text}`)
  }
  return res.text(errors.length >= 6 ? 'contained' : `ESCAPED: only ${errors.length} failed`)
}
