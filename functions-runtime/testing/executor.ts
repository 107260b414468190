/** A real executor in a process of its own, and one who calls it: for tests, the verification and benchmarks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import {
  createDecoder,
  encodeFrame,
  type Frame,
  type FromExecutor,
  type Program,
  type RunEnd,
  type RunFrame,
  type RunLimits,
  type ToExecutor,
} from '../protocol.ts'

type Kind = FromExecutor['kind']
type Of<K extends Kind> = Frame<Extract<FromExecutor, { kind: K }>>
type Asked = Partial<Omit<RunFrame, 'program' | 'limits' | 'request'>> & {
  program?: Partial<Program>
  limits?: Partial<RunLimits>
  request?: Partial<RunFrame['request']>
  body?: Buffer
}
export type Answer = { end: RunEnd; body: Buffer; text: string; head: Of<'head'> | null; chunks: Buffer[] }

export type Caller = {
  socket: Socket
  send: (head: ToExecutor, body?: Buffer) => void
  /** Told what code is asked for: answers with that of `run`. */
  onNeed: (head: Of<'need'>['head']) => void
  /** The next frame of that kind, or the last one where it came already and nobody took it. */
  next: <K extends Kind>(kind: K) => Promise<Of<K>>
  /** Runs a program given as its text. */
  run: (source: string | Buffer, asked?: Asked) => Promise<Answer>
  close: () => void
}

export type TestExecutor = {
  url: string
  secret: string
  child: ChildProcess
  /** What it has written to stderr. */
  said: () => string
  connect: () => Promise<Caller>
  stop: () => Promise<void>
}

/** A program as a build makes it, of the text of its default export. */
export const program = (source: string): string =>
  `"use strict";\nvar __function = (() => {\n  return { default: ${source} };\n})();\n`

/** `flags` are Node's own, before the program; `within` is a command that becomes it. */
export async function startExecutor(
  env: NodeJS.ProcessEnv = {},
  flags: string[] = [],
  within: readonly string[] = [],
): Promise<TestExecutor> {
  const secret = env.EXECUTOR_SECRET ?? randomUUID()
  const node = [process.execPath, '--no-node-snapshot', ...flags, 'functions-runtime/main.ts']
  const [file = '', ...args] = [...within, ...node]
  const child = spawn(file, args, {
    env: { PATH: process.env.PATH, PORT: '0', EXECUTOR_SECRET: secret, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (text) => {
    said += text
  })
  const url = await new Promise<string>((done, fail) => {
    child.once('exit', () => fail(new Error(`The executor did not start: ${said}`)))
    child.stdout.once('data', (text) => done(/http:\S+(?=\/health)/.exec(String(text))?.[0] ?? String(text)))
  })
  return {
    url,
    secret,
    child,
    said: () => said,
    connect: () => connect(url, secret),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function connect(url: string, secret: string): Promise<Caller> {
  const headers = { connection: 'upgrade', upgrade: 'tendril-executor', authorization: `Bearer ${secret}` }
  const call = request(`${url}/executor`, { headers }).end()
  const [, socket, first] = (await once(call, 'upgrade')) as [unknown, Socket, Buffer]
  socket.setNoDelay(true)
  socket.setMaxListeners(0)
  const decode = createDecoder<FromExecutor>()
  const known = new Map<string, Buffer>()
  const runs = new Map<string, (frame: Frame<FromExecutor>) => void>()
  const others = new Map<Kind, Frame<FromExecutor>[]>()
  const waiting = new Map<Kind, (frame: Frame<FromExecutor>) => void>()
  const hashes = new Map<string | Buffer, string>()
  const learn = (source: string | Buffer) => {
    const bytes = typeof source === 'string' ? Buffer.from(source) : source
    const hash = createHash('sha256').update(bytes).digest('hex')
    known.set(hash, bytes)
    hashes.set(source, hash)
    return hash
  }
  const send = (head: ToExecutor, body?: Buffer) => void socket.write(encodeFrame(head, body))

  function take(frame: Frame<FromExecutor>): void {
    const { head } = frame
    if (head.kind === 'need') caller.onNeed(head)
    else if ('id' in head && head.kind !== 'record' && runs.has(head.id)) runs.get(head.id)?.(frame)
    else if (waiting.has(head.kind)) {
      waiting.get(head.kind)?.(frame)
      waiting.delete(head.kind)
    } else others.set(head.kind, [...(others.get(head.kind) ?? []), frame])
  }

  const caller: Caller = {
    socket,
    send,
    onNeed: ({ hash }) => {
      const bytes = known.get(hash)
      send({ kind: 'artefact', hash, isMissing: !bytes }, bytes)
    },
    next: <K extends Kind>(kind: K) => {
      const already = others.get(kind)?.shift()
      if (already) return Promise.resolve(already as Of<K>)
      return new Promise<Of<K>>((done) => waiting.set(kind, done as (frame: Frame<FromExecutor>) => void))
    },
    run(source, asked = {}) {
      const artefact = hashes.get(source) ?? learn(source)
      const { body: given, ...rest } = asked
      const frame = runFrame(artefact, rest)
      return new Promise<Answer>((done, fail) => {
        if (socket.destroyed) return fail(new Error('The executor has gone.'))
        let head: Answer['head'] = null
        const chunks: Buffer[] = []
        const gone = () => fail(new Error('The executor has gone.'))
        socket.once('close', gone)
        runs.set(frame.id, (got) => {
          if (got.head.kind === 'head') head = got as Of<'head'>
          else if (got.head.kind === 'chunk') chunks.push(got.body)
          else if (got.head.kind === 'end') {
            runs.delete(frame.id)
            socket.off('close', gone)
            done({ end: got.head, body: got.body, text: got.body.toString(), head, chunks })
          }
        })
        send(frame, given)
      })
    },
    close: () => void socket.destroy(),
  }
  const receive = (bytes: Buffer) => decode(bytes).forEach(take)
  socket.on('data', receive)
  socket.on('error', () => socket.destroy())
  if (first.length > 0) receive(first)
  return caller
}

export function runFrame(
  artefact: string,
  { program, limits, request: asked, ...rest }: Omit<Asked, 'body'>,
): RunFrame {
  return {
    kind: 'run',
    id: randomUUID(),
    tenant: 'prj_test',
    functionId: 'fun_test',
    executionId: randomUUID(),
    variables: {},
    token: 'run_test',
    isStreamed: false,
    ...rest,
    program: { runtime: 'javascript', deploymentId: 'dep_test', artefact, entrypoint: 'main.ts', ...program },
    limits: { timeoutMs: 5_000, memoryMb: 64, isTrusted: false, ...limits },
    request: { method: 'GET', url: '/', headers: {}, ...asked },
  }
}
