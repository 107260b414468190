import { connect } from 'node:net'

type Context = {
  req: {
    method: string
    path: string
    query: Record<string, string>
    headers: Record<string, string>
    json: () => Promise<unknown>
  }
  res: {
    json: (value: unknown, status?: number, headers?: Record<string, string>) => Response
    text: (text: string) => Response
    empty: () => Response
    redirect: (url: string) => Response
  }
  log: (...values: unknown[]) => void
  error: (...values: unknown[]) => void
  graphql: (query: string, variables?: object) => Promise<unknown>
  env: Record<string, string>
  fetch: typeof fetch
}

const text = (value: string) => new TextEncoder().encode(value)

const withCookiesOf = ({ headers }: Response) =>
  new Response('', { headers: headers.getSetCookie().map((cookie) => ['set-cookie', cookie]) })

let later = ''

/** What a run leaves behind, and what has become of it. */
const leaving: Record<string, (context: Context) => Response | Promise<Response>> = {
  '/later': ({ res, log, graphql }) => {
    setTimeout(async () => {
      log('late')
      later = await graphql('{ a }').then(String, String)
    }, 300)
    return res.empty()
  },
  '/told': async ({ res }) => {
    await new Promise((resolve) => setTimeout(resolve, 800))
    return res.text(later)
  },
}

export default (context: Context) => (leaving[context.req.path] ?? answer)(context)

async function answer({ req, res, log, error, graphql, env, fetch }: Context): Promise<Response> {
  switch (req.path) {
    case '/hello': {
      const { method, query, headers } = req
      return res.json({ method, query, header: headers['x-a'], body: await req.json() }, 201, { 'x-b': 'c' })
    }
    case '/env':
      return res.text(`${env.NAME} ${process.env.NAME}`)
    case '/log':
      log('one', 1)
      console.log('two')
      error('three')
      process.stderr.write('four\n')
      return res.empty()
    case '/print':
      process.stdout.write('ü, no end')
      return res.empty()
    case '/long':
      console.log('x'.repeat(5_000_000))
      return res.empty()
    case '/header':
      return new Response('', { headers: { 'x-a': 'a\nb' } })
    case '/leave':
      void fetch('https://hanging.example/')
      return res.empty()
    case '/fatal':
      return new Promise(() => void Promise.reject(new Error('no')))
    case '/cookies':
      return withCookiesOf(await fetch('https://example.com/cookies'))
    case '/graphql':
      return res.json(await graphql('{ a }', { b: 1 }))
    case '/wrong':
      return res.json(await graphql('{ wrong }'))
    case '/fetch': {
      const got = await fetch('https://example.com/x', { method: 'POST', headers: { 'x-a': 'b' }, body: 'c' })
      return res.text(`${got.status} ${got.headers.get('x-b')} ${await got.text()}`)
    }
    case '/refused':
      return fetch('https://refused.example/').catch((reason: Error) => res.text(reason.message))
    case '/throw':
      throw new TypeError('no')
    case '/redirect':
      return res.redirect('/x')
    case '/invalid':
      return 5 as unknown as Response
    case '/stream': {
      const parts = ['a', 'b', 'c']
      const pull = (controller: ReadableStreamDefaultController) => {
        const part = parts.shift()
        if (part) controller.enqueue(text(part))
        else controller.close()
      }
      return new Response(new ReadableStream({ pull }))
    }
    case '/loop':
      for (;;);
    case '/memory': {
      const all: Uint8Array[] = []
      for (;;) all.push(new Uint8Array(10_000_000).fill(1))
    }
    case '/network':
      return new Promise((resolve) => {
        const socket = connect(53, '1.1.1.1', () => resolve(res.text('connected')))
        socket.once('error', (reason) => resolve(res.text(`refused: ${reason.message}`)))
      })
    default:
      return process.exit(3)
  }
}
