import assert from 'node:assert/strict'
import type { Context } from '../../context.ts'
import type { Sample } from './walk.ts'

type Ask = (ctx: Context, query: string) => Promise<{ data: Record<string, unknown> | null }>

/** One of everything that an input may name, and values that are right for inputs, by what they are called. */
export async function createSamples(ask: Ask, owner: Context, account: Context): Promise<Sample> {
  const made = await makeEverything(ask, owner, account)
  let count = 0
  const next = () => (count += 1)
  const point = { type: 'Point', coordinates: [1, 2] }
  const fixed: Record<string, unknown> = {
    password: 'correct horse battery',
    url: 'https://example.org/hook',
    events: ['users.*'],
    schedule: '0 * * * *',
    role: 'any',
    right: 'READ',
    scopes: ['users.read'],
    lease: 'lease_of_a_test',
    checksum: 'a'.repeat(64),
    point,
    'DistanceFilter.from': point,
    'ReplayDeliveriesInput.to': '2026-01-02T00:00:00.000Z',
    'TerminateSubscriptionsInput.ids': ['sub_1'],
    'SetSenderInput.address': 'post@example.org',
    'SetSenderInput.host': 'mail.example.org',
    'events.names': ['documents.*'],
    'DistanceOrder.near': point,
    'AddMemberInput.role': 'DEVELOPER',
    'UpdateMemberInput.role': 'DEVELOPER',
    'AttributeInput.type': 'STRING',
    'CreateAttributeInput.type': 'STRING',
    'AttributeInput.size': 10,
    'CreateAttributeInput.size': 10,
    'CreateFunctionInput.runtime': 'javascript',
    'FunctionHookInput.on': 'users.before-create',
    'PresenceRuleInput.join': ['users'],
    'PresenceRuleInput.read': ['users'],
    'IndexInput.type': 'KEY',
    'CreateIndexInput.type': 'KEY',
    'IndexInput.attributes': ['createdAt'],
    'CreateIndexInput.attributes': ['createdAt'],
    ...made,
  }
  const fresh: Record<string, () => unknown> = {
    email: () => `u${next()}@example.org`,
    'CreateDomainInput.name': () => `d${next()}.example.org`,
    'UpsertPostInput.id': () => `p${next()}`,
  }
  for (const input of ['CreateDatabase', 'CreateCollection', 'CreateAttribute', 'Attribute', 'CreateIndex', 'Index'])
    fresh[`${input}Input.key`] = () => `k${next()}`
  return (name, of) => {
    const make = fresh[`${of}.${name}`] ?? fresh[name]
    return make ? make() : (fixed[`${of}.${name}`] ?? fixed[name])
  }
}

async function makeEverything(ask: Ask, owner: Context, account: Context): Promise<Record<string, string>> {
  const idOf = async (ctx: Context, mutation: string): Promise<string> => {
    const { data } = await ask(ctx, `mutation { it: ${mutation} }`)
    const it = data?.it as Record<string, { id?: string }> & { id?: string }
    const id = it?.id ?? it?.webhook?.id ?? it?.key?.id
    assert.ok(id, mutation)
    return id
  }
  const { projectId } = owner
  const databaseId = await idOf(owner, 'createDatabase(input: { key: "main" }) { id }')
  const things = `{ databaseId: "${databaseId}", key: "things", permissions: [] }`
  const collectionId = await idOf(owner, `createCollection(input: ${things}) { id }`)
  const name = `{ collectionId: "${collectionId}", key: "name", type: STRING, size: 10 }`
  const attributeId = await idOf(owner, `createAttribute(input: ${name}) { id }`)
  const byTime = `{ collectionId: "${collectionId}", key: "byTime", type: KEY, attributes: ["createdAt"] }`
  const task = '{ name: "a", url: "https://example.org", schedule: "0 * * * *" }'
  const taskId = await idOf(owner, `createTask(input: ${task}) { id }`)
  const hook = '{ name: "a", url: "https://example.org", events: ["users.*"] }'
  const webhookId = await idOf(owner, `createWebhook(input: ${hook}) { webhook { id } }`)
  const functionId = await idOf(owner, 'createFunction(input: { name: "a", runtime: "javascript" }) { id }')
  const user = '{ email: "ann@example.org", password: "correct horse" }'
  const userId = await idOf(owner, `createUser(input: ${user}) { id }`)
  const key = `{ projectId: "${projectId}", name: "a", scopes: ["users.read"] }`
  return {
    databaseId,
    collectionId,
    projectId,
    'project.id': projectId,
    'UpdateProjectInput.id': projectId,
    'database.id': databaseId,
    'deleteDatabase.id': databaseId,
    'collection.id': collectionId,
    'UpdateCollectionInput.id': collectionId,
    'deleteCollection.id': collectionId,
    'UpdateAttributeInput.id': attributeId,
    'deleteAttribute.id': attributeId,
    'deleteIndex.id': await idOf(owner, `createIndex(input: ${byTime}) { id }`),
    'task.id': taskId,
    'runTask.id': taskId,
    'deleteTask.id': taskId,
    'UpdateTaskInput.id': taskId,
    'webhook.id': webhookId,
    'deleteWebhook.id': webhookId,
    'rotateWebhookSecret.id': webhookId,
    'UpdateWebhookInput.id': webhookId,
    functionId,
    'function.id': functionId,
    'deleteFunction.id': functionId,
    'UpdateFunctionInput.id': functionId,
    'user.id': userId,
    'deleteUser.id': userId,
    'UpdateUserInput.id': userId,
    'deleteKey.id': await idOf(account, `createKey(input: ${key}) { key { id } }`),
  }
}
