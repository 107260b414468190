// Modules of Node by import().
// expect: THREW ANSWER INVALID_ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  for (const name of ['node:fs', 'fs', 'node:child_process', '/etc/passwd', './main.js']) {
    try {
      const got = await import(name)
      return res.text(`ESCAPED: ${Object.keys(got)}`)
    } catch {}
  }
  return res.text('contained')
}
