import type { Services } from '../../src/context.ts'
import type { LoggedEvent } from '../../src/logged-event.ts'
import type { TemplateName } from '../../src/mails/render.ts'
import { verificationSecret } from '../../src/modules/accounts/verifications.ts'

export type Subject = { projectId: string; recipient: string; payload: Record<string, unknown> }

/** Which event asks for a mail, to whom it goes, and what it says. */
export type Letter = {
  on: string
  template: TemplateName
  /** Whose it is: by way of the project's own server, where it has one, or of the installation's. */
  from: 'project' | 'installation'
  /** The stored address; null when there is nobody to write to. */
  recipient: (services: Services, event: LoggedEvent) => Promise<string | null>
  /** Null when the mail is no longer of use. */
  values: (services: Services, subject: Subject) => Promise<Record<string, string> | null>
}

const verification: Letter = {
  on: 'verifications.created',
  template: 'verification',
  from: 'project',
  recipient: async ({ db }, { payload }) => {
    const id = textOf(payload, 'verificationId')
    return (await db.verification.findUnique({ where: { id }, select: { email: true } }))?.email ?? null
  },
  values: async ({ db, env, clock }, { projectId, recipient, payload }) => {
    const id = textOf(payload, 'verificationId')
    const found = await db.verification.findUnique({ where: { id }, include: { user: { include: { project: true } } } })
    if (!found || found.usedAt || found.expiresAt <= clock() || found.user.email !== recipient) return null
    const query = new URLSearchParams({ project: projectId, id, secret: verificationSecret(env, id) })
    const { name, project } = found.user
    const link = `${env.PUBLIC_URL.replace(/\/$/, '')}/verify?${query}`
    return { name: name || recipient, email: recipient, project: project.name, link }
  },
}

const webhookDisabled: Letter = {
  on: 'webhooks.disabled',
  template: 'webhook-disabled',
  from: 'installation',
  recipient: findOwner,
  values: async ({ db }, { payload }) => {
    const id = textOf(payload, 'webhookId')
    const webhook = await db.webhook.findUnique({ where: { id }, include: { project: true } })
    if (!webhook) return null
    return { webhook: webhook.name, project: webhook.project.name, url: webhook.url, reason: textOf(payload, 'reason') }
  },
}

const senderTest: Letter = {
  on: 'senders.tested',
  template: 'sender-test',
  from: 'project',
  recipient: async ({ db }, { payload }) => {
    const id = textOf(payload, 'accountId')
    return (await db.user.findUnique({ where: { id }, select: { email: true } }))?.email ?? null
  },
  values: (services, { payload }) => senderValues(services, payload),
}

/** Not by way of the server that refuses us. */
const senderRefused: Letter = {
  on: 'senders.refused',
  template: 'sender-refused',
  from: 'installation',
  recipient: findOwner,
  values: async (services, { payload }) => {
    const values = await senderValues(services, payload)
    return values && { ...values, reason: textOf(payload, 'reason') }
  },
}

export const letters: readonly Letter[] = [verification, webhookDisabled, senderTest, senderRefused]

async function senderValues({ db }: Services, payload: unknown): Promise<Record<string, string> | null> {
  const id = textOf(payload, 'senderId')
  const sender = await db.sender.findUnique({ where: { id }, include: { project: true } })
  return sender && { project: sender.project.name, host: sender.host }
}

/** The first of the owners: there is one mail for each event. */
async function findOwner({ db }: Services, { projectId }: LoggedEvent): Promise<string | null> {
  const where = { projectId, role: 'OWNER' as const, user: { status: 'ACTIVE' as const } }
  const owner = await db.member.findFirst({ where, orderBy: { id: 'asc' }, include: { user: true } })
  return owner?.user.email ?? null
}

function textOf(payload: unknown, key: string): string {
  const value = typeof payload === 'object' && payload !== null ? Reflect.get(payload, key) : undefined
  return typeof value === 'string' ? value : ''
}
