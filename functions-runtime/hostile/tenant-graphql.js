// The API of another project, with what there is.
// expect: ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  for (const [query, variables] of [
    ['{ a }', { projectId: 'prj_neighbour', tenant: 'prj_neighbour', token: 'x' }],
    ['{ a }', { __proto__: { tenant: 'prj_neighbour' } }],
  ]) {
    try {
      await graphql(query, variables)
    } catch {}
  }
  Object.prototype.tenant = 'prj_neighbour'
  Object.prototype.token = 'run_neighbour'
  Object.prototype.url = '../prj_neighbour/graphql'
  try {
    await graphql('{ b }')
  } catch {}
  return res.text('contained')
}
