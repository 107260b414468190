// A rejection that nobody handles, with a value that loops when it is copied.
// expect: TIMEOUT INVALID_ANSWER ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  Promise.reject({ get x() { while (true); } })
  return res.text('contained')
}
