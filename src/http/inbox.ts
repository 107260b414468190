import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Inbox, Kept } from '../platform/inbox.ts'
import { Refusal } from './refusal.ts'

const route = /^\/inbox(?:\/(box_[0-9a-f]{32})(\/html)?)?$/

export function isInbox(path: string): boolean {
  return route.test(path)
}

/**
 * The mails that a machine without a mail server would have sent, for whoever sits at it: they hold links that sign
 * people in. A page of a foreign name that points here (DNS rebinding), and a proxy before us, are refused too.
 */
export function serveInbox(
  inbox: Inbox,
  { req, res, path }: { req: IncomingMessage; res: ServerResponse; path: string },
) {
  const [, id, html] = route.exec(path) ?? []
  const mail = inbox.mails().find((each) => each.id === id)
  if (!isLocal(req) || (id !== undefined && !mail)) throw new Refusal(404, 'NOT_FOUND', 'There is no such mail.')
  if (mail && html) return writeMail(res, mail)
  const body = mail ? mailPage(mail) : listPage(inbox.mails())
  write(
    res,
    body,
    `default-src 'none'; style-src '${styleHash}'; frame-src 'self'; img-src data:; frame-ancestors 'none'`,
  )
}

function isLocal({ socket, headers }: IncomingMessage): boolean {
  const host = URL.parse(`http://${headers.host}`)?.hostname.replace(/^\[|\]$/g, '') ?? ''
  const isHere = host === 'localhost' || isLoopback(host)
  return isHere && isLoopback(socket.remoteAddress ?? '') && headers['x-forwarded-for'] === undefined
}

function isLoopback(address: string): boolean {
  return isIP(address) > 0 && ipaddr.process(address).range() === 'loopback'
}

/** A mail as its reader sees it, where nothing in it can run, send or load. */
function writeMail(res: ServerResponse, { html }: Kept): void {
  res.setHeader('x-frame-options', 'SAMEORIGIN')
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
  write(res, html.replace('<head>', '<head><base target="_blank">'), `${policy}; sandbox ${allowed}`)
}

/** Links open in a tab of their own, which is none of the mail's business. */
const allowed = 'allow-popups allow-popups-to-escape-sandbox'

function write(res: ServerResponse, body: string, policy: string): void {
  res.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
  res.end(body)
}

const style = `body { margin: 0 auto; max-width: 60rem; padding: 1.5rem; font: 16px/1.5 system-ui, sans-serif; color: #1f2933; background: #f5f7fa }
h1 { font-size: 1.3rem } a { color: #0b6e4f } ul { list-style: none; padding: 0 }
li, dl, pre, iframe { background: #fff; border: 1px solid #d9e2ec; border-radius: 6px; padding: .7rem 1rem; margin: 0 0 .5rem }
li span, dt { color: #52606d } li a { font-weight: 600; margin-right: .6rem }
dl { display: grid; grid-template-columns: max-content auto; gap: .1rem 1rem } dd { margin: 0 }
iframe { box-sizing: border-box; width: 100%; height: 28rem; padding: 0 } pre { white-space: pre-wrap; overflow-wrap: anywhere }`

const styleHash = `sha256-${createHash('sha256').update(style).digest('base64')}`

function page(title: string, head: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><link rel="icon" href="data:,">${head}<style>${style}</style></head><body>${body}</body></html>`
}

function listPage(mails: readonly Kept[]): string {
  const items = mails.map(({ id, to, subject, at }) => {
    const when = at.toISOString().slice(0, 19).replace('T', ' ')
    return `<li><a href="/inbox/${id}">${escaped(subject)}</a><span>to ${escaped(to)}, ${when} UTC</span></li>`
  })
  const list = items.length > 0 ? `<ul>${items.join('')}</ul>` : '<p>No mail yet. This page looks again by itself.</p>'
  const why = '<p>No SMTP server is set, so mails go nowhere but here, until this process ends.</p>'
  return page('Inbox', '<meta http-equiv="refresh" content="5">', `<h1>Inbox</h1>${why}${list}`)
}

function mailPage({ id, from, to, subject, at, messageId, text }: Kept): string {
  const rows = Object.entries({ From: from, To: to, At: at.toISOString(), 'Message-ID': messageId })
  const head = rows.map(([name, value]) => `<dt>${name}</dt><dd>${escaped(value)}</dd>`).join('')
  return page(
    escaped(subject),
    '',
    `<p><a href="/inbox">All mails</a></p><h1>${escaped(subject)}</h1><dl>${head}</dl>
<iframe title="The mail as HTML" sandbox="${allowed}" src="/inbox/${id}/html"></iframe>
<h1>As text</h1><pre>${escaped(text)}</pre>`,
  )
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
