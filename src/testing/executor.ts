import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  createDecoder,
  encodeFrame,
  type FromExecutor,
  type PrepareFrame,
  protocolVersion,
  type RunEnd,
  type RunFrame,
  type ToExecutor,
  type Welcome,
} from '../../functions-runtime/protocol.ts'
import type { RunCall } from '../platform/sandbox.ts'

export type PeerRun = RunFrame & {
  body: Buffer
  /** Asks for the code of the run; null when it is gone. */
  need: () => Promise<Buffer | null>
  send: (head: FromExecutor, body?: Buffer) => void
  /** Cuts the connection that it came by. */
  cut: () => void
  wasCancelled: () => boolean
  /** Whether the caller has said that its beginning is written down. */
  wasRecorded: () => boolean
}

/** What it was told to make ready, and the code that comes unasked. */
export type Prepared = PrepareFrame & { code: Promise<Buffer | null> | null }

export type Answer = Partial<Omit<RunEnd, 'kind' | 'id'>> & { body?: string }

/** A run as an API node asks for it. */
export const runCall = (given: Partial<RunCall> = {}): RunCall => ({
  tenant: 'prj_1',
  functionId: 'fun_1',
  executionId: 'exe_1',
  program: { runtime: 'javascript', deploymentId: 'dep_1', artefact: 'abc', entrypoint: 'index.js' },
  limits: { timeoutMs: 1_000, memoryMb: 128, isTrusted: false },
  variables: {},
  token: 'run_x',
  request: { method: 'POST', url: '/', headers: {} },
  body: Buffer.from('ping'),
  artefact: async () => Buffer.from('code'),
  ...given,
})

/** An executor that does what a test says with each run: for what a real one does when it should not. */
export async function createPeer(
  answer: (run: PeerRun) => Promise<Answer | null> | Answer | null,
  secret = 's'.repeat(16),
) {
  const sockets = new Set<Duplex>()
  let said: Welcome = { ...welcome, instance: randomUUID() }
  const runs: PeerRun[] = []
  const prepared: Prepared[] = []
  const server = createServer((_req, res) => res.writeHead(404).end())
  server.on('upgrade', (req, socket) => {
    if (req.headers.authorization !== `Bearer ${secret}`) return socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: tendril-executor\r\n\r\n')
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    const send = (head: FromExecutor, body?: Buffer) => void socket.write(encodeFrame(head, body))
    send(said)
    const cancelled = new Set<string>()
    const recorded = new Set<string>()
    const needs = new Map<string, (bytes: Buffer | null) => void>()
    const take = (head: ToExecutor, body: Buffer) => {
      if (head.kind === 'cancel') cancelled.add(head.id)
      if (head.kind === 'recorded') recorded.add(head.id)
      if (head.kind === 'prepare') {
        const code = new Promise<Buffer | null>((resolve) => needs.set(head.program.artefact, resolve))
        prepared.push({ ...head, code: head.isSent ? code : null })
      }
      if (head.kind === 'artefact') needs.get(head.hash)?.(head.isMissing ? null : body)
      if (head.kind !== 'run') return
      const need = () =>
        new Promise<Buffer | null>((resolve) => {
          needs.set(head.program.artefact, resolve)
          send({ kind: 'need', id: head.id, hash: head.program.artefact })
        })
      const wasCancelled = () => cancelled.has(head.id)
      const wasRecorded = () => recorded.has(head.id)
      const run: PeerRun = { ...head, body, need, send, cut: () => socket.destroy(), wasCancelled, wasRecorded }
      runs.push(run)
      void Promise.resolve(answer(run)).then((answered) => {
        if (answered) send({ kind: 'end', id: head.id, ...ended, ...answered }, Buffer.from(answered.body ?? ''))
      })
    }
    const decode = createDecoder<ToExecutor>()
    socket.on('data', (bytes: Buffer) => {
      for (const { head, body } of decode(bytes)) take(head, body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secret,
    runs,
    prepared,
    /** Says again what it is: as another, which was started in its place, or one of an older version. */
    welcome: (given: Partial<Welcome>) => {
      said = { ...said, ...given }
      for (const socket of sockets) socket.write(encodeFrame(said))
    },
    leave: () => {
      for (const socket of sockets) socket.write(encodeFrame({ kind: 'leaving' }))
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

const welcome: Omit<Welcome, 'instance'> = {
  kind: 'welcome',
  version: protocolVersion,
  isSealed: false,
  prepares: true,
  records: true,
  runtimes: [
    { name: 'javascript', engine: 'isolate', unavailable: null },
    { name: 'typescript', engine: 'isolate', unavailable: null },
    { name: 'python-3.11', engine: 'docker', unavailable: 'There is no Docker here.', entrypoint: 'main.py' },
  ],
}

const ended = {
  response: { status: 200, headers: { 'content-type': 'text/plain' } },
  failure: null,
  durationMs: 3,
  memoryBytes: 1_000_000,
  isCold: false,
  logs: [],
  logsDropped: 0,
} satisfies Omit<RunEnd, 'kind' | 'id'>
