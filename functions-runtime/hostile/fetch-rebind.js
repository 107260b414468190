// A name that is a public address for the first look, and this machine for every later one.
// expect: ANSWER
// resolver
export default async ({ req, res, log, graphql, fetch, env }) => {
  const first = await fetch('http://rebind.test:CANARY/').then((response) => response.text())
  if (first !== 'outside') return res.text(`ESCAPED: it was not tried, but ${first}`)
  // The connection that is open is to where the name was: others are made beside it.
  const many = await Promise.allSettled(Array.from({ length: 50 }, () => fetch('http://rebind.test:CANARY/')))
  const texts = await Promise.all(many.map(({ value, reason }) => value?.text() ?? reason.name))
  return res.text(texts.includes('canary') ? 'ESCAPED: this machine' : `contained: ${[...new Set(texts)]}`)
}
