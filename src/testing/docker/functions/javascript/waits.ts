type Waiting = { waitUntil: (one: Promise<unknown>) => void }

/** Answers, and has something left to be done. */
export default {
  fetch(request: Request, _env: unknown, { waitUntil }: Waiting): Response {
    const { pathname } = new URL(request.url)
    const ms = pathname === '/never' ? 60_000 : 50
    waitUntil(new Promise<void>((done) => setTimeout(done, ms)).then(() => console.log('done')))
    return new Response(pathname === '/stream' ? new Blob(['now']).stream() : 'now')
  },
}
