type Headers = Record<string, string | string[] | null>
type Context = { req: { path: string }; res: { text: (text: string, status?: number, headers?: Headers) => Response } }

/** What an isolate answers as well. */
export default ({ req, res }: Context): Response => {
  if (req.path === '/headers') {
    return res.text('', 200, { 'set-cookie': 'a=1\nb=2', 'x-none': null, 'x-list': ['a', 'b'] })
  }
  if (req.path === '/empty') return res.text('', 204)
  console.log('%s is %d', 'x', 5)
  throw { code: 1 }
}
