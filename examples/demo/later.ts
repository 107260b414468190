import assert from 'node:assert/strict'
import { Webhook } from 'standardwebhooks'
import { type Endpoint, request } from '../client/request.ts'
import { graphql } from '../generated/gql.ts'
import type { Posts } from './documents.ts'
import type { Call, ReceivedMail } from './receivers.ts'
import type { Collections, Project, Users } from './setting-up.ts'
import { step, until } from './steps.ts'

export async function audits({ server }: Project, { sharedId }: Posts): Promise<void> {
  await step('The changes stand in the audit log', async () => {
    const query = graphql(`
      query Audits($event: String!) { audits(where: { event: $event }, first: 1) { nodes { event actorKind } } }
    `)
    const event = `databases.*.collections.*.documents.${sharedId}.updated`
    const found = await until('the audit', async () => {
      const { audits } = await request(server, query, { event })
      return audits.nodes[0]
    })
    assert.equal(found.actorKind, 'USER')
  })
}

export const webhook = {
  register: ({ server }: Project, url: string): Promise<{ id: string; secret: string; server: Endpoint }> =>
    step('You register a webhook for documents.*', async () => {
      const query = graphql(`
        mutation NewWebhook($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } secret } }
      `)
      const input = { name: 'receiver', url: `${url}/hook`, events: ['documents.*'] }
      const { createWebhook } = await request(server, query, { input })
      return { id: createWebhook.webhook.id, secret: createWebhook.secret, server }
    }),

  arrives: (
    { secret, id, server }: { id: string; secret: string; server: Endpoint },
    calls: Call[],
    collections: Collections,
  ): Promise<void> =>
    step('The webhook arrives, and the standardwebhooks package verifies it', async () => {
      const call = await until('the webhook', () => calls.find(({ headers }) => headers['webhook-id']))
      const verified = new Webhook(secret).verify(call.body, call.headers as Record<string, string>) as {
        type: string
        name: string
      }
      assert.equal(verified.type, 'documents.created')
      assert.ok(verified.name.startsWith(`databases.${collections.databaseId}.collections.`), verified.name)
      const forged = call.body.replace('created', 'deleted')
      assert.throws(() => new Webhook(secret).verify(forged, call.headers as Record<string, string>))
      const query = graphql(`
        query Deliveries($id: ID!) {
          webhook(id: $id) { deliveries(first: 5) { nodes { status attempts { responseStatus } } } }
        }
      `)
      await until('the delivery in its log', async () => {
        const { webhook } = await request(server, query, { id })
        return webhook?.deliveries.nodes.some(({ status }) => status === 'SUCCEEDED')
      })
    }),
}

export const task = {
  register: ({ server }: Project, url: string): Promise<string> =>
    step('You create a task that calls an address every second', async () => {
      const query = graphql(`mutation NewTask($input: CreateTaskInput!) { createTask(input: $input) { id nextRunAt } }`)
      const input = { name: 'tick', schedule: '* * * * * *', method: 'POST', url: `${url}/tick`, body: 'tick' }
      return (await request(server, query, { input })).createTask.id
    }),

  runs: ({ server }: Project, id: string, calls: Call[]): Promise<void> =>
    step('The task has called the address, and its runs are logged', async () => {
      await until('the call', () => calls.find(({ body }) => body === 'tick'))
      const query = graphql(`
        query Runs($id: ID!) { task(id: $id) { runs(first: 5) { nodes { status responseStatus } } } }
      `)
      await until('the run', async () => {
        const { task } = await request(server, query, { id })
        return task?.runs.nodes.some(({ status, responseStatus }) => status === 'SUCCEEDED' && responseStatus === 200)
      })
    }),
}

export async function mail({ ann, guest }: Users, mails: ReceivedMail[]): Promise<void> {
  const link = await step('Ann asks for a verification mail, and it arrives over SMTP', async () => {
    await request(ann, graphql(`mutation AskForMail { createVerification { expiresAt } }`))
    const { text } = await until('the mail', () => mails.find(({ to }) => to === 'ann@example.org'))
    const found = /https?:\/\/\S+/.exec(text)?.[0]
    assert.ok(found, text)
    return new URL(found)
  })
  await step('The link in it verifies her address, once', async () => {
    const query = graphql(`
      mutation Confirm($input: ConfirmVerificationInput!) { confirmVerification(input: $input) { emailVerified } }
    `)
    const input = { id: link.searchParams.get('id') ?? '', secret: link.searchParams.get('secret') ?? '' }
    const answer = await request(guest, query, { input })
    assert.equal(answer.confirmVerification.emailVerified, true)
    await assert.rejects(request(guest, query, { input }), /INVALID/)
  })
}
