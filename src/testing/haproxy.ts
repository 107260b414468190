import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tie } from '../servers/lifeline.ts'
import { freePort } from '../servers/ports.ts'

/** Debian's HAProxy before a server, with the certificates of a folder. */
export type Haproxy = {
  port: number
  /** Replaces one of the certificates, by its path, while it serves: no connection is dropped. */
  replace: (path: string, pem: string) => Promise<void>
  stop: () => Promise<void>
}

export async function startHaproxy(folder: string, apiPort: number): Promise<Haproxy> {
  const dir = await mkdtemp(join(tmpdir(), 'tendril-haproxy-'))
  const [port, socket, config] = [await freePort(), join(dir, 'admin.sock'), join(dir, 'haproxy.cfg')]
  await writeFile(
    config,
    `global
  stats socket ${socket} mode 600 level admin
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend domains
  bind 127.0.0.1:${port} ssl crt ${folder}/
  default_backend api
backend api
  server api 127.0.0.1:${apiPort}
`,
  )
  const program = await tie('haproxy', ['-db', '-f', config], { logFile: join(dir, 'haproxy.log'), stopSignal: 'TERM' })
  const say = (text: string) => ask(socket, text)
  return {
    port,
    replace: async (path, pem) => {
      // A blank line ends what is given.
      await say(`set ssl cert ${path} <<\n${pem.replace(/\n+/g, '\n').trim()}\n\n`)
      const answer = await say(`commit ssl cert ${path}\n`)
      if (!answer.includes('Success')) throw new Error(`HAProxy did not take the certificate: ${answer}`)
    },
    stop: async () => {
      await program.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

function ask(path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(path, () => socket.write(text))
    socket.on('data', (part) => (answer += part))
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
  })
}
