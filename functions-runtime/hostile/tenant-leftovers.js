// What another run has left behind.
// expect: ANSWER
// twice
export default async ({ req, res, log, graphql, fetch, env }) => {
  const marks = [globalThis.mark, Array.prototype.mark, Symbol.for('mark').mark, Object.mark]
  globalThis.mark = Array.prototype.mark = Object.mark = 'left'
  return res.text(marks.some((one) => one !== undefined) ? 'ESCAPED: another run' : 'contained')
}
