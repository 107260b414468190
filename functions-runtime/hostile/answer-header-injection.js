// A header that ends the headers.
// expect: INVALID_ANSWER
export default async ({ req, res, log, graphql, fetch, env }) => {
  return res.text('x', 200, { a: 'b\r\n\r\n<script>' })
}
