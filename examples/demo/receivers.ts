import { createServer, type IncomingHttpHeaders } from 'node:http'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import { freePort } from './instance.ts'

export type Call = { method: string; headers: IncomingHttpHeaders; body: string }

/** A real HTTP server that keeps what it is sent: somebody's webhook receiver, somebody's task. */
export async function startReceiver(): Promise<{ url: string; calls: Call[]; close: () => void }> {
  const calls: Call[] = []
  const port = await freePort()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    calls.push({ method: request.method ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() })
    response.end('thank you')
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  return { url: `http://127.0.0.1:${port}`, calls, close: () => void server.close() }
}

export type ReceivedMail = { to: string; subject: string; text: string }

/** A real SMTP server that keeps what it is sent. */
export async function startMailbox(): Promise<{ url: string; mails: ReceivedMail[]; close: () => void }> {
  const mails: ReceivedMail[] = []
  const port = await freePort()
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, session, done) => {
      simpleParser(stream).then(({ subject, text }) => {
        const to = session.envelope.rcptTo.map(({ address }) => address).join(',')
        mails.push({ to, subject: subject ?? '', text: text ?? '' })
        done()
      }, done)
    },
  })
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
  return { url: `smtp://127.0.0.1:${port}`, mails, close: () => server.close(() => {}) }
}
