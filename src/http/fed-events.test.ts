import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { GraphQLError } from 'graphql'
import type { Feed, Payload } from '../changes/feed.ts'
import { TooSlow } from '../tail.ts'
import { type Follow, serveFed } from './fed-events.ts'

const payload = (n: number, size: number): Payload => ({ json: Buffer.from(`"${'x'.repeat(size)}"`), cursor: `c${n}` })

/** Answers what feeds it, and counts the bytes of results. */
async function serve(t: TestContext, feed: Feed, before = async (_gone: Promise<unknown>) => {}) {
  const sent = { bytes: 0, leaving: new AbortController(), ended: Promise.withResolvers<void>() }
  const tell = (error: unknown) => ({ errors: [new GraphQLError('told', { originalError: error as Error })] })
  const server = createServer(async (_req, res) => {
    await before(once(res, 'close'))
    const onSent = (bytes: number) => {
      sent.bytes += bytes
    }
    const follow: Follow = (results) => results
    const options = { leaving: sent.leaving.signal, onSent, follow }
    void serveFed(res, { feed, tell }, options).then(sent.ended.resolve)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.closeAllConnections())
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, sent }
}

async function open(t: TestContext, feed: Feed) {
  const { url, sent } = await serve(t, feed)
  return { response: await fetch(url), sent }
}

test('who does not read takes no more than there is room for, gets what was taken, and is not told that this is all', async (t) => {
  let taken = 0
  const { promise: isFull, resolve: setFull } = Promise.withResolvers<void>()
  const { response } = await open(t, (sink) => {
    sink.begin()
    const give = async () => {
      do while (sink.take(payload(taken, 200_000))) taken += 1
      while (await sink.room(performance.now() + 300))
      sink.end(new TooSlow(1n, 'c1'))
      setFull()
    }
    void give()
    return () => {}
  })
  await isFull
  const text = await response.text()
  assert.ok(taken > 1 && taken < 400, `${taken}`)
  assert.equal(text.split('event: next').length - 1, taken + 1)
  assert.ok(!text.includes('event: complete'))
})

test('each result is counted; what ends it is the last of them', async (t) => {
  const { response, sent } = await open(t, (sink) => {
    sink.begin()
    sink.take(payload(1, 1))
    sink.end(new Error('over'))
    return () => {}
  })
  const text = await response.text()
  assert.match(
    text,
    /^:\n\nid: c1\nevent: next\ndata: "x"\n\nevent: next\ndata: {"errors".*\n\nevent: complete\ndata:\n\n$/,
  )
  assert.equal(sent.bytes, text.length - ':\n\n'.length - 'event: complete\ndata:\n\n'.length)
})

test('whoever leaves is left; whoever is sent elsewhere hears nothing of an end', async (t) => {
  let isLeft = false
  const feed: Feed = (sink) => {
    sink.begin()
    return () => {
      isLeft = true
    }
  }
  const { response } = await open(t, feed)
  await response.body?.cancel()
  for (let tries = 0; !isLeft && tries < 100; tries += 1) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok(isLeft)
  isLeft = false
  const other = await open(t, feed)
  other.sent.leaving.abort()
  assert.equal(await other.response.text(), ':\n\n')
  assert.ok(isLeft)
})

test('whoever has left before it begins is left at once; so is everybody where the node leaves', async (t) => {
  const feed: Feed = (sink) => {
    sink.begin()
    return () => {}
  }
  const gone = new AbortController()
  const early = await serve(t, feed, async (closed) => {
    gone.abort()
    await closed
  })
  await assert.rejects(fetch(early.url, { signal: gone.signal }), /abort/)
  await early.sent.ended.promise
  const late = await serve(t, feed)
  late.sent.leaving.abort()
  assert.equal(await (await fetch(late.url)).text(), ':\n\n')
  await late.sent.ended.promise
})
