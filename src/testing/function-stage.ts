import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import { after, before, beforeEach } from 'node:test'
import { type Api, startApi } from '../api.ts'
import type { Context } from '../context.ts'
import { hashSecret, newSecret } from '../lib/secrets.ts'
import { type Answer, createPeer, type PeerRun } from './executor.ts'
import { makeFunction } from './functions.ts'
import { createWorld, type World } from './world.ts'

export type Reply = { status: number; headers: IncomingHttpHeaders; body: string; isCut: boolean }
export type Sent = { method?: string; headers?: OutgoingHttpHeaders; body?: string | Buffer; abortMs?: number }

/** Answers as an executor does that is asked to stream. */
export function streamed(
  run: PeerRun,
  status: number,
  headers: Record<string, string>,
  chunks: readonly string[],
): Answer {
  run.send({ kind: 'head', id: run.id, status, headers })
  for (const chunk of chunks) run.send({ kind: 'chunk', id: run.id }, Buffer.from(chunk))
  return { response: { status, headers }, body: '' }
}

/** A server whose functions are called at their URLs, and answer what a test says. It is there while the tests of a file run. */
export function functionStage() {
  const key = newSecret('key')
  const stage = {
    world: null as unknown as World,
    api: null as unknown as Api,
    peer: null as unknown as Awaited<ReturnType<typeof createPeer>>,
    owner: null as unknown as Context,
    /** What a function says. */
    say: (() => null) as (run: PeerRun) => Answer | null | Promise<Answer | null>,
    /** A function that everybody may run, and one for users only: their ids. */
    open: '',
    closed: '',
    credential: { authorization: `Bearer ${key}` },
    send,
  }
  before(async () => {
    stage.peer = await createPeer((run) => stage.say(run))
    const { url, secret } = stage.peer
    const given = { EXECUTORS: url, EXECUTOR_SECRET: secret, ALLOWED_ORIGINS: 'https://app.example' }
    stage.world = await createWorld({ PORT: '0', ...given })
    stage.api = await startApi(stage.world.app)
    stage.owner = (await stage.world.createProject()).owner
    const { projectId } = stage.owner
    stage.open = (await makeFunction(stage.owner, '', { execute: ['any'] })).id
    stage.closed = (await makeFunction(stage.owner, '', { execute: ['users'] })).id
    const row = { id: 'key_f', projectId, name: 'k', hash: hashSecret(key), scopes: [] }
    await stage.world.app.db.key.create({ data: row })
  })
  after(async () => {
    await stage.api.close()
    await stage.world.close()
    stage.peer.close()
  })
  beforeEach(() => {
    stage.peer.runs.length = 0
    stage.say = (run) => streamed(run, 200, { 'content-type': 'text/plain' }, ['hello'])
  })

  function send(path: string, { method = 'GET', headers = {}, body, abortMs }: Sent = {}): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(stage.api.url)
      const req = request({ hostname, port, path, method, headers, agent: false }, (res) => {
        let text = ''
        res.setEncoding('utf8').on('data', (chunk) => (text += chunk))
        const { statusCode: status = 0, headers } = res
        const end = () => resolve({ status, headers, body: text, isCut: !res.complete })
        res.once('close', end).on('error', () => {})
      })
      req.on('error', reject)
      req.end(body)
      if (abortMs !== undefined) setTimeout(() => req.destroy(), abortMs)
    })
  }

  return stage
}
