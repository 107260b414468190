/**
 * The one process of an executor that reaches a network. It is told a run's token with the one call that needs it, and keeps
 * none. It is started by broker/client.ts and speaks frames on its file 3.
 */
import { Socket } from 'node:net'
import { createDecoder, encodeFrame, type Frame } from '../protocol.ts'
import { createFetching } from './fetch.ts'
import { createGraphql } from './graphql.ts'
import type { FromBroker, ToBroker } from './messages.ts'

const { EGRESS_ALLOW = '', TENDRIL_URL = '' } = process.env
const allow = EGRESS_ALLOW.split(',')
  .map((part) => part.trim())
  .filter(Boolean)

const maxCalls = 512
const socket = new Socket({ fd: 3, readable: true, writable: true })
const send = (head: FromBroker, body?: Buffer) => void socket.write(encodeFrame(head, body))
const under = new Map<number, AbortController>()
const fetching = createFetching(allow)
const graphql = createGraphql(TENDRIL_URL)

async function perform({ head, body }: Frame<Exclude<ToBroker, { kind: 'giveUp' }>>): Promise<void> {
  const { id } = head
  const controller = new AbortController()
  try {
    if (under.size >= maxCalls) throw new Error('Too many calls are under way on this executor.')
    under.set(id, controller)
    const { signal } = controller
    const answer = head.kind === 'fetch' ? await fetching(head, body, signal) : await graphql(head, signal)
    if (!signal.aborted) send({ kind: 'done', id, head: answer.head }, answer.body)
  } catch (error) {
    if (!controller.signal.aborted) send({ kind: 'failed', id, error: inWords(error) })
  } finally {
    under.delete(id)
  }
}

/** Errors of the one egress and of the API say what a function may know; of others it learns nothing. */
function inWords(error: unknown): { name: string; message: string } {
  if (!(error instanceof Error)) return { name: 'Error', message: 'The call failed.' }
  const { name } = error.constructor
  return { name: name === 'Error' ? 'Error' : name, message: error.message.slice(0, 1_000) }
}

function take(frame: Frame<ToBroker>): void {
  const { head, body } = frame
  if (head.kind === 'giveUp') under.get(head.id)?.abort()
  else void perform({ head, body })
}

const decode = createDecoder<ToBroker>()
socket.on('data', (bytes: Buffer) => decode(bytes).forEach(take))
socket.on('close', () => process.exit(0))
socket.on('error', () => process.exit(1))
send({ kind: 'ready' })
