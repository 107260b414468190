// A stack that says what it likes.
// expect: THREW
export default async ({ req, res, log, graphql, fetch, env }) => {
  const error = new Error('x')
  error.stack = 'Error: x\n    at function.js:999999999:999999999\n' + '    at function.js:1:1\n'.repeat(1e5)
  throw error
}
