import type { Duplex } from 'node:stream'
import { finished } from 'node:stream'
import type { Artefacts } from './artefacts.ts'
import { type Build, type Engine, failed, failureOf, type RunResult } from './engine.ts'
import { createNeeds, type Needs } from './needs.ts'
import {
  type BuildFrame,
  createDecoder,
  type Frame,
  type FromExecutor,
  type PrepareFrame,
  type RemoteCall,
  type RunFrame,
  type ToExecutor,
  writeFrame,
} from './protocol.ts'
import { createRecords } from './records.ts'

export type Parts = {
  engines: readonly Engine[]
  build: Build
  artefacts: Artefacts
  callsOf: (run: RunFrame) => RemoteCall[]
}

/** One caller: an API node or a worker. */
export type Connection = {
  send: (head: FromExecutor, body?: Buffer) => void
  /** Resolves when nothing of this caller's is running. */
  idle: () => Promise<void>
  end: () => void
}

/** Each caller counts its own runs, and those of several may be in one process: there they are counted anew. */
let runs = 0

export function serveConnection(socket: Duplex, first: Buffer, parts: Parts): Connection {
  const running = new Map<string, AbortController>()
  const needed = createNeeds(send)
  const records = createRecords(send)
  const whenIdle: (() => void)[] = []
  const decode = createDecoder<ToExecutor>()

  function send(head: FromExecutor, body?: Buffer): boolean {
    return socket.destroyed || writeOrFail(socket, head, body)
  }

  function receive(bytes: Buffer): void {
    try {
      for (const frame of decode(bytes)) take(frame)
    } catch {
      // What is no frame came from nobody who knows the secret and this version.
      socket.destroy()
    }
  }

  function take({ head, body }: Frame<ToExecutor>): void {
    if (head.kind === 'artefact') needed.answer(head.hash, head.isMissing ? null : body)
    else if (head.kind === 'prepare') prepare(parts, head, needed)
    else if (head.kind === 'cancel') running.get(head.id)?.abort()
    else if (head.kind === 'recorded') records.answer(head.id)
    else if (head.kind === 'run') track(head.id, (signal) => run(head, body, signal))
    else if (head.kind === 'build') track(head.id, (signal) => build(parts, head, body, signal, send))
    // Anything else is of a later version, and nothing that this one has said it understands.
  }

  function track(id: string, work: (signal: AbortSignal) => Promise<void>): void {
    if (running.has(id)) return void socket.destroy()
    const controller = new AbortController()
    running.set(id, controller)
    void work(controller.signal).finally(() => {
      running.delete(id)
      if (running.size > 0) return
      for (const done of whenIdle.splice(0)) done()
    })
  }

  async function run(frame: RunFrame, body: Buffer, signal: AbortSignal): Promise<void> {
    const { id, program } = frame
    const own = { ...frame, id: `${++runs}` }
    const result: RunResult = await (engineFor(parts, program.runtime) ?? unknownRuntime)
      .run({
        run: own,
        body,
        artefact: () => parts.artefacts.get(program.artefact, () => needed.ask(id, program.artefact, signal)),
        onHead: (status, headers) => void send({ kind: 'head', id, status, headers }),
        onChunk: (bytes) => (send({ kind: 'chunk', id }, bytes) ? Promise.resolve() : drained(socket)),
        onAnswered: (status, headers, body) => void send({ kind: 'answered', id, status, headers }, body),
        recorded: records.of(frame),
        signal,
      })
      .catch((error: unknown) => failed(failureOf(error)))
    records.forget(id)
    const calls = parts.callsOf(own)
    const end = calls.length > 0 ? { ...result.end, calls } : result.end
    send({ kind: 'end', id, ...end }, result.body)
  }

  finished(socket, () => {
    for (const controller of running.values()) controller.abort()
    needed.close()
  })
  socket.on('data', receive)
  // HTTP leaves a socket half open: a caller that was killed would be waited for until its runs are over.
  socket.once('end', () => socket.destroy())
  if (first.length > 0) receive(first)

  return {
    send,
    idle: () => (running.size === 0 ? Promise.resolve() : new Promise((done) => whenIdle.push(done))),
    end: () => void socket.end(),
  }
}

const engineFor = ({ engines }: Parts, runtime: string) =>
  engines.find((one) => one.runtimes().some(({ name }) => name === runtime))

async function build(
  parts: Parts,
  frame: BuildFrame,
  archive: Buffer,
  signal: AbortSignal,
  send: Connection['send'],
): Promise<void> {
  const { id } = frame
  const begun = performance.now()
  const made = await parts
    .build(frame, archive, (line) => void send({ kind: 'line', id, line }), signal)
    .catch(() => ({ error: 'Something went wrong in the executor.' }))
  if (signal.aborted) return
  if ('artefact' in made) {
    const name = parts.artefacts.keep(made.artefact)
    engineFor(parts, frame.runtime)
      ?.built?.(name, made.artefact)
      .catch(() => {})
  }
  const durationMs = performance.now() - begun
  if ('error' in made) send({ kind: 'built', id, error: made.error, durationMs })
  else send({ kind: 'built', id, error: null, durationMs }, made.artefact)
}

/** What goes wrong the run that follows will tell, which also asks for a program that is not here. */
function prepare(parts: Parts, frame: PrepareFrame, needed: Needs): void {
  const { artefact, runtime } = frame.program
  const expect = async () => (frame.isSent ? needed.expect(artefact) : null)
  engineFor(parts, runtime)
    ?.prepare?.(frame, () => parts.artefacts.get(artefact, expect))
    .catch(() => {})
}

/** An end that is too large to be sent is told as that. */
function writeOrFail(socket: Duplex, head: FromExecutor, body?: Buffer): boolean {
  try {
    return writeFrame(socket, head, body)
  } catch (error) {
    if (head.kind === 'built') return writeFrame(socket, { ...head, error: 'What the build has made is too large.' })
    if (head.kind !== 'end') throw error
    return writeFrame(socket, { kind: 'end', id: head.id, ...failed(failureOf(error)).end })
  }
}

const unknownRuntime: Pick<Engine, 'run'> = {
  run: async ({ run }) =>
    failed({
      reason: 'UNAVAILABLE',
      message: `The runtime ${run.program.runtime} is not here.`,
      stack: null,
    }),
}

function drained(socket: Duplex): Promise<void> {
  return new Promise((done) => {
    const settle = () => {
      socket.off('drain', settle)
      socket.off('close', settle)
      done()
    }
    socket.on('drain', settle)
    socket.on('close', settle)
  })
}
