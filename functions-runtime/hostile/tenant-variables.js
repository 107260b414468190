// Variables and tokens of others, wherever they may be.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  const all = []
  const visit = (value, depth) => {
    if (depth > 4 || value === null || typeof value !== 'object') return all.push(String(value))
    for (const key of Object.getOwnPropertyNames(value)) {
      try {
        visit(value[key], depth + 1)
      } catch {}
    }
  }
  visit({ env, req, g: globalThis }, 0)
  return res.text('contained ' + all.join(' ').slice(0, 1e5))
}
