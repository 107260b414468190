import { isIP } from 'node:net'
import type { Mail, Prisma, Sender } from '../../../prisma/client/client.ts'
import { asSystem, type Context, type DbContext, type Services, transaction } from '../../context.ts'
import type { Env } from '../../env.ts'
import { Invalid, NotFound } from '../../errors.ts'
import { emit } from '../../event.ts'
import { newId } from '../../lib/ids.ts'
import { decrypt, encrypt } from '../../lib/secrets.ts'
import { isSingleAddress, type SmtpServer } from '../../platform/mail.ts'
import { insertMail } from '../mails/mails.ts'
import { requireOwner } from '../members/members.ts'
import { operatorRows } from '../operators/operators.ts'
import { senderDeleted, senderRefused, senderTested, senderUpdated } from './events.ts'

/** The sender of the project that is asked, for those who run it. */
export function visibleSenders(ctx: Context): Prisma.SenderWhereInput {
  return operatorRows(ctx)
}

export type NewSender = {
  name: string
  address: string
  replyTo?: string | null | undefined
  host: string
  port: number
  secure: boolean
  username?: string | null | undefined
  /** Left out: the one before, for the same user at the same server. */
  password?: string | null | undefined
}

/** Sets who the project's mails come from and what server takes them. Only its owners may: every link to sign in goes through it. */
export async function setSender(ctx: Context, input: NewSender): Promise<Sender> {
  const { projectId } = ctx
  await requireOwner(ctx, projectId)
  requireUsable(input)
  return transaction(ctx, async (tx) => {
    await tx.query('select 1 as locked from projects where id = $1 for update', [projectId])
    const before = await tx.db.sender.findUnique({ where: { projectId } })
    const { name, address, host, port, secure, replyTo = null, username = null } = input
    const password = keepPassword(ctx.env, input, before)
    const data = { name, address, replyTo, host: host.toLowerCase(), port, secure, username, password, refusal: null }
    const create = { ...data, id: newId('snd'), projectId }
    const sender = await tx.db.sender.upsert({ where: { projectId }, create, update: data })
    await emit(tx, senderUpdated, { senderId: sender.id })
    return sender
  })
}

/** From now on mails go out as the installation's own. Answers the sender's id. */
export async function deleteSender(ctx: Context): Promise<string> {
  await requireOwner(ctx, ctx.projectId)
  return transaction(ctx, async (tx) => {
    const { id } = await findOwn(ctx, tx)
    await tx.db.sender.delete({ where: { id } })
    await emit(tx, senderDeleted, { senderId: id })
    return id
  })
}

/** Writes to the caller's own address by way of the sender. The mail tells how that goes. */
export async function testSender(ctx: Context): Promise<Mail> {
  const { projectId } = ctx
  await requireOwner(ctx, projectId)
  return transaction(ctx, async (tx) => {
    const { id: senderId } = await findOwn(ctx, tx)
    const account = await tx.db.user.findUniqueOrThrow({ where: { id: ctx.actor?.id ?? '' } })
    const payload = { senderId, accountId: account.id }
    const eventId = await emit(tx, senderTested, payload)
    // The worker, when it comes to the event, finds this one.
    return insertMail(tx, { projectId, eventId, template: 'sender-test', recipient: account.email, payload })
  })
}

/** The server that takes a project's mails; null for the installation's own. */
export async function findServer({ db, env }: Services, projectId: string): Promise<SmtpServer | null> {
  const sender = await db.sender.findUnique({ where: { projectId } })
  if (!sender) return null
  const { id, updatedAt, host, port, secure, username, password, name, address, replyTo } = sender
  const login = username === null ? null : { user: username, pass: decrypt(env.SECRET_KEYS, password ?? '') }
  return { key: `${id} ${updatedAt.getTime()}`, host, port, secure, login, from: { name, address }, replyTo }
}

/** Notes that the server refuses the login, and has the owner told: once, until the sender is set anew. */
export async function reportRefusal(services: Services, projectId: string, reason: string): Promise<void> {
  await transaction(asSystem(services, 'senders', projectId), async (tx) => {
    // `updatedAt` stays: it is the same server still.
    const [refused] = await tx.query<{ id: string }>(
      'update senders set refusal = $2 where "projectId" = $1 and refusal is null returning id',
      [projectId, reason.slice(0, 1000)],
    )
    if (refused) await emit(tx, senderRefused, { senderId: refused.id, reason: reason.slice(0, 1000) })
  })
}

async function findOwn(ctx: Context, tx: DbContext): Promise<Sender> {
  const sender = await tx.db.sender.findFirst({ where: visibleSenders(ctx) })
  if (!sender) throw new NotFound('The project has no sender of its own.')
  return sender
}

/** A password goes to the server that it was given for, and to no other. */
function keepPassword({ SECRET_KEYS }: Pick<Env, 'SECRET_KEYS'>, input: NewSender, before: Sender | null) {
  const { username, password, host, port } = input
  if (username == null) return null
  if (password != null) return encrypt(SECRET_KEYS, password)
  const isSame = before?.host === host.toLowerCase() && before.port === port && before.username === username
  if (!isSame || before.password === null) throw new Invalid('This needs the password.', ['input', 'password'])
  return before.password
}

/** What is said to a server or stands in a header is one line, and an address is one address. */
function requireUsable({ name, address, replyTo, host, port, username, password }: NewSender): void {
  const isLine = (text: string, max: number) => text.length <= max && !/\p{Cc}/u.test(text)
  if (!isLine(name, 128)) throw new Invalid('A name has at most 128 characters, on one line.', ['input', 'name'])
  if (!isSingleAddress(address)) throw new Invalid('This is not one plain address.', ['input', 'address'])
  if (replyTo != null && !isSingleAddress(replyTo))
    throw new Invalid('This is not one plain address.', ['input', 'replyTo'])
  const isHost = isIP(host) > 0 || (host.length <= 253 && /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(host))
  if (!isHost) throw new Invalid('This is not the name of a server.', ['input', 'host'])
  if (port < 1 || port > 65_535) throw new Invalid('A port is a number from 1 to 65535.', ['input', 'port'])
  if (username != null && !(username.length > 0 && isLine(username, 256)))
    throw new Invalid('A user name has 1 to 256 characters.', ['input', 'username'])
  if (password != null && !isLine(password, 1024))
    throw new Invalid('A password has at most 1,024 characters.', ['input', 'password'])
}
