import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Payload, Sink } from '../changes/feed.ts'
import type { Context } from '../context.ts'
import type { Graphql } from '../server.ts'

export type Asked = { query: string; variables: Record<string, unknown> }

/** A subscriber whose payloads are made once for all who get the same, and what came to them. */
export type Fed = {
  texts: string[]
  payloads: Payload[]
  /** As a socket whose other end does not read. */
  isFull: boolean
  /** With what it ended. */
  ended: Promise<unknown>
  /** Resolves when this holds of what came; fails when it does not within a few seconds. */
  until: (holds: (texts: readonly string[]) => boolean) => Promise<void>
  leave: () => void
}

export async function feed(graphql: Graphql, ctx: Context, asked: Asked): Promise<Fed> {
  const found = await graphql.feed(ctx, asked)
  assert.ok(found, `this is not shared: ${asked.query}`)
  const { promise: ended, resolve: end } = Promise.withResolvers<unknown>()
  const fed: Fed = {
    texts: [],
    payloads: [],
    isFull: false,
    ended,
    until: (holds) =>
      until(
        () => holds(fed.texts),
        () => `only ${fed.texts.length} came to ${asked.query}`,
      ),
    leave: () => {},
  }
  const sink: Sink = {
    begin: () => {},
    take: (payload) => {
      if (fed.isFull) return false
      fed.texts.push(String(payload.json))
      fed.payloads.push(payload)
      return true
    },
    room: async (last) => {
      while (fed.isFull && performance.now() < last) await sleep(5)
      return !fed.isFull
    },
    end,
  }
  fed.leave = found.feed(sink)
  return fed
}

export async function until(holds: () => boolean | Promise<boolean>, message: () => string, ms = 8_000): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(message())
    await sleep(5)
  }
}
