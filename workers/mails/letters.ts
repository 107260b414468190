import type { Services } from '../../src/context.ts'
import type { LoggedEvent } from '../../src/logged-event.ts'
import type { TemplateName } from '../../src/mails/render.ts'
import { verificationSecret } from '../../src/modules/accounts/verifications.ts'

export type Subject = { projectId: string; recipient: string; payload: Record<string, unknown> }

/** Which event asks for a mail, to whom it goes, and what it says. */
export type Letter = {
  on: string
  template: TemplateName
  /** The stored address; null when there is nobody to write to. */
  recipient: (services: Services, event: LoggedEvent) => Promise<string | null>
  /** Null when the mail is no longer of use. */
  values: (services: Services, subject: Subject) => Promise<Record<string, string> | null>
}

const verification: Letter = {
  on: 'verifications.created',
  template: 'verification',
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
  // The first of the owners: there is one mail for each event.
  recipient: async ({ db }, { projectId }) => {
    const where = { projectId, role: 'OWNER' as const, user: { status: 'ACTIVE' as const } }
    const owner = await db.member.findFirst({ where, orderBy: { id: 'asc' }, include: { user: true } })
    return owner?.user.email ?? null
  },
  values: async ({ db }, { payload }) => {
    const id = textOf(payload, 'webhookId')
    const webhook = await db.webhook.findUnique({ where: { id }, include: { project: true } })
    if (!webhook) return null
    return { webhook: webhook.name, project: webhook.project.name, url: webhook.url, reason: textOf(payload, 'reason') }
  },
}

export const letters: readonly Letter[] = [verification, webhookDisabled]

function textOf(payload: unknown, key: string): string {
  const value = typeof payload === 'object' && payload !== null ? Reflect.get(payload, key) : undefined
  return typeof value === 'string' ? value : ''
}
