import { isIP } from 'node:net'
import { LRUCache } from 'lru-cache'
import { createTransport } from 'nodemailer'
import type { Env } from '../env.ts'
import { createPin, EgressRefused, isAllowed } from './egress.ts'
import type { Inbox } from './inbox.ts'

export type Mail = { to: string; subject: string; html: string; text: string; messageId: string }

/** An SMTP server that a project brings, and what its mails say of where they come from. */
export type SmtpServer = {
  /** Another one for other settings: connections are kept by it. */
  key: string
  host: string
  port: number
  /** TLS from the first byte. */
  secure: boolean
  login: { user: string; pass: string } | null
  from: { name: string; address: string }
  replyTo: string | null
}

export type Mailer = {
  /** False where nothing takes the installation's own mails: they are only recorded. */
  isConfigured: boolean
  /**
   * By way of the server, or of the installation's own. Throws MailRefused when trying again cannot help,
   * MailLoginRefused when somebody has to look at the login, anything else when trying again can help.
   */
  send: (mail: Mail, server: SmtpServer | null, signal: AbortSignal) => Promise<void>
  close: () => void
}

/** The server said no for good (5xx), or the address is not one. */
export class MailRefused extends Error {}
/** The server does not take our word for who we are: whoever has set it up must look. Trying again may help then. */
export class MailLoginRefused extends Error {}

/** What one try may take in all. */
const sendMs = 60_000
/** Servers of projects to which connections are kept, and for how long after the last mail. */
const kept = { most: 20, idleMs: 90_000 }

const one =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

/**
 * Exactly one plain address: no display name, no quoting, no comment, no line break, no second address. What passes means
 * the same to every mail program, so it can only go where it says.
 */
export function isSingleAddress(text: string): boolean {
  return text.length <= 254 && one.test(text) && !text.startsWith('.') && !/\.[.@]/.test(text)
}

type Settings = Pick<Env, 'SMTP_URL' | 'MAIL_FROM' | 'EGRESS_ALLOW'>
type Transport = ReturnType<typeof openUrl>
type Sending = (mail: Mail, signal: AbortSignal) => Promise<void>

/** `inbox` takes the installation's own mails where there is no SMTP_URL. */
export function createMailer(env: Settings, inbox?: Inbox): Mailer {
  const own = openOwn(env, inbox)
  const pools = createPools(env.EGRESS_ALLOW)
  return {
    isConfigured: own.isConfigured,
    send: async (mail, server, signal) => {
      if (!isSingleAddress(mail.to)) throw new MailRefused('The recipient is not one plain address.')
      await (server ? pools.send(server, mail, signal) : own.send(mail, signal))
    },
    close: () => {
      own.close()
      pools.close()
    },
  }
}

/** The way of mails that come from no project's own server. */
function openOwn({ SMTP_URL, MAIL_FROM: from }: Settings, inbox: Inbox | undefined) {
  if (SMTP_URL) {
    const transport = openUrl(SMTP_URL)
    const send: Sending = (mail, signal) => sendBy(transport, { mail, from, address: addressOf(from), signal })
    return { isConfigured: true, send, close: () => transport.close() }
  }
  const keep: Sending = async (mail) => inbox?.add({ ...mail, from })
  const refuse: Sending = async () => {
    throw new MailRefused('No SMTP server is set.')
  }
  return { isConfigured: inbox !== undefined, send: inbox ? keep : refuse, close: () => {} }
}

/** A few connections to each server that is written to, closed when nothing was sent for a while. */
function createPools(allow: readonly string[]) {
  const pin = createPin(allow)
  const transports = new LRUCache<string, Transport>({
    max: kept.most,
    ttl: kept.idleMs,
    ttlAutopurge: true,
    updateAgeOnGet: true,
    // What is being sent is sent before it closes.
    dispose: (transport) => transport.close(),
  })
  const open = async (server: SmtpServer) => {
    const found = transports.get(server.key)
    if (found) return found
    const address = await pin(server.host).catch(refused)
    const opened = transports.get(server.key)
    if (opened) return opened
    const transport = openServer(server, address)
    transports.set(server.key, transport)
    return transport
  }
  return {
    send: async (server: SmtpServer, mail: Mail, signal: AbortSignal) => {
      const transport = await open(server)
      const { from, replyTo } = server
      try {
        await sendBy(transport, { mail, from, replyTo, address: from.address, signal })
      } catch (error) {
        // Where it cannot be reached, its name is looked up anew.
        if (!(error instanceof MailRefused)) transports.delete(server.key)
        throw error
      }
    },
    close: () => transports.clear(),
  }
}

const bounds = {
  pool: true,
  maxConnections: 3,
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 30_000,
  disableFileAccess: true,
  disableUrlAccess: true,
} as const

function openUrl(url: string) {
  return createTransport({ ...bounds, url })
}

/** Connects to the address that was checked, and checks the certificate against the name. */
function openServer({ host, port, secure, login }: SmtpServer, address: string): Transport {
  const auth = login ? { auth: login } : {}
  // A password does not go over the internet in the clear.
  const requireTLS = login !== null && isAllowed(address, [])
  const name = isIP(host) === 0 ? { servername: host } : {}
  return createTransport({ ...bounds, ...auth, ...name, host: address, port, secure, requireTLS })
}

type Letter = {
  mail: Mail
  from: string | SmtpServer['from']
  replyTo?: string | null
  /** What the envelope says of where it comes from. */
  address: string
  signal: AbortSignal
}

async function sendBy(transport: Transport, { mail, from, replyTo, address, signal }: Letter): Promise<void> {
  const { to, ...rest } = mail
  await transport
    .sendMail({
      ...rest,
      from,
      to: { name: '', address: to },
      ...(replyTo && { replyTo: { name: '', address: replyTo } }),
      envelope: { from: address, to: [to] },
      signal: AbortSignal.any([signal, AbortSignal.timeout(sendMs)]),
    })
    .catch(inWords)
}

function refused(error: Error): never {
  throw error instanceof EgressRefused ? new MailRefused(error.message) : error
}

/** Replies that say that we are not who we should be, wherever in the conversation (RFC 4954). */
const loginCodes = [530, 534, 535, 538]

type SmtpError = Error & { code?: string; responseCode?: number; response?: string }

/** By the class of the reply: 5xx is final, but for the login; 4xx, and what never came to a reply, is not. */
function inWords(error: SmtpError): never {
  const { code, responseCode = 0, response } = error
  const isFinal = responseCode >= 500
  if (loginCodes.includes(responseCode) || (code === 'EAUTH' && (isFinal || responseCode === 0)))
    throw new MailLoginRefused(`The server refused the login: ${response ?? error.message}`)
  if (isFinal) throw new MailRefused(`The server refused the mail: ${response ?? responseCode}`)
  throw error
}

function addressOf(from: string): string {
  return /<([^<>]+)>\s*$/.exec(from)?.[1] ?? from.trim()
}
