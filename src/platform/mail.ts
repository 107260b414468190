import { createTransport } from 'nodemailer'
import type { Env } from '../env.ts'

export type Mail = { to: string; subject: string; html: string; text: string; messageId: string }

export type Mailer = {
  /** False without SMTP_URL: mails are only recorded. */
  isConfigured: boolean
  /** Throws MailRefused when trying again cannot help, anything else when it can. */
  send: (mail: Mail, signal: AbortSignal) => Promise<void>
  close: () => void
}

/** The server said no for good (5xx), or the address is not one. */
export class MailRefused extends Error {}
/** The server does not take our word for who we are: whoever has set it up must look. Trying again may help then. */
export class MailLoginRefused extends Error {}

/** What one try may take in all. */
const sendMs = 60_000

const one =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

/**
 * Exactly one plain address: no display name, no quoting, no comment, no line break, no second address. What passes means
 * the same to every mail program, so it can only go where it says.
 */
export function isSingleAddress(text: string): boolean {
  return text.length <= 254 && one.test(text) && !text.startsWith('.') && !/\.[.@]/.test(text)
}

export function createMailer(env: Pick<Env, 'SMTP_URL' | 'MAIL_FROM'>): Mailer {
  const { SMTP_URL: url, MAIL_FROM: from } = env
  if (!url) return { isConfigured: false, send: refuse, close: () => {} }
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 3,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const send = async ({ to, ...mail }: Mail, stop: AbortSignal) => {
    if (!isSingleAddress(to)) throw new MailRefused('The recipient is not one plain address.')
    const envelope = { from: addressOf(from), to: [to] }
    const signal = AbortSignal.any([stop, AbortSignal.timeout(sendMs)])
    await transport.sendMail({ ...mail, from, to: { name: '', address: to }, envelope, signal }).catch(inWords)
  }
  return { isConfigured: true, send, close: () => transport.close() }
}

async function refuse(): Promise<never> {
  throw new MailRefused('No SMTP server is set.')
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
