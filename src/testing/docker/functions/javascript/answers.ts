type Headers = Record<string, string | string[] | null>
type Context = {
  req: { path: string; signal: AbortSignal }
  res: { text: (text: string, status?: number, headers?: Headers) => Response }
}

/** What an isolate answers as well. */
export default ({ req, res }: Context): Response => {
  if (req.path === '/headers') {
    return res.text('', 200, { 'set-cookie': 'a=1\nb=2', 'x-none': null, 'x-list': ['a', 'b'] })
  }
  if (req.path === '/ticks') {
    let timer: NodeJS.Timeout
    req.signal.addEventListener('abort', () => console.log('left', req.signal.reason.name))
    const start = (controller: ReadableStreamDefaultController) => {
      timer = setInterval(() => controller.enqueue(new TextEncoder().encode('tick ')), 20)
    }
    const cancel = (reason: Error) => {
      clearInterval(timer)
      console.log('cancelled', reason.name)
    }
    return new Response(new ReadableStream({ start, cancel }), { status: 202 })
  }
  if (req.path === '/empty') return res.text('', 204)
  console.log('%s is %d', 'x', 5)
  throw { code: 1 }
}
