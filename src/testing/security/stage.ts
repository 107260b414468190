import { Writable } from 'node:stream'
import { buildClientSchema, type GraphQLSchema, getIntrospectionQuery, type IntrospectionQuery } from 'graphql'
import pino from 'pino'
import { type Api, startApi } from '../../api.ts'
import type { App } from '../../app.ts'
import { verificationSecret } from '../../modules/accounts/verifications.ts'
import { createCollections } from '../collections.ts'
import { json } from '../server.ts'
import { createWorld, type World } from '../world.ts'

// biome-ignore lint/suspicious/noExplicitAny: what a server answers is checked by what follows
export type Result = { data?: any; errors?: { message: string; extensions: { code: string } }[] }

export type Stage = {
  world: World
  app: App
  api: Api
  /** Everything that was logged, as one text: nothing is cut out, so that nothing is hidden. */
  logged: () => string
  /** Asks the API of a project; `authorization` null for a guest. */
  ask: (project: string, authorization: string | null, query: string, variables?: object) => Promise<Result>
  /** The same for any number of operations, in bodies of ten. */
  askAll: (project: string, authorization: string | null, operations: Asked[]) => Promise<Result[]>
  /** What this caller is shown. */
  introspect: (project: string, authorization: string | null) => Promise<GraphQLSchema>
  close: () => Promise<void>
}

export type Asked = { query: string; variables?: object }

/** The whole API on a database of its own, as those who attack it meet it: by HTTP. */
export async function createStage(env: Record<string, string> = {}): Promise<Stage> {
  const world = await createWorld({ PORT: '0', ALLOWED_ORIGINS: 'https://app.example', ...env })
  const lines: string[] = []
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(String(chunk))
      done()
    },
  })
  const app = { ...world.app, log: pino({ level: 'trace' }, sink) }
  const api = await startApi(app)
  const askAll: Stage['askAll'] = async (project, authorization, operations) => {
    const results: Result[] = []
    for (let from = 0; from < operations.length; from += 10) {
      const response = await fetch(`${api.url}/projects/${project}/graphql`, {
        method: 'POST',
        headers: authorization === null ? json : { ...json, authorization },
        body: JSON.stringify(operations.slice(from, from + 10)),
      })
      const answer = (await response.json()) as Result | Result[]
      if (!Array.isArray(answer)) throw new Error(JSON.stringify(answer))
      results.push(...answer)
    }
    return results
  }
  const ask: Stage['ask'] = async (project, authorization, query, variables) => {
    const [result] = await askAll(project, authorization, [{ query, ...(variables && { variables }) }])
    return result ?? {}
  }
  const introspect: Stage['introspect'] = async (project, authorization) => {
    const { data } = await ask(project, authorization, getIntrospectionQuery())
    return buildClientSchema(data as IntrospectionQuery)
  }
  const close = async () => {
    await api.close()
    await world.close()
  }
  return { world, app, api, logged: () => lines.join(''), ask, askAll, introspect, close }
}

/** What an operation must answer without an error. */
export async function must(result: Promise<Result>): Promise<NonNullable<Result['data']>> {
  const { data, errors } = await result
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

export const password = 'correct horse'

const signUpQuery = `mutation ($email: String!, $password: String!) {
  signUp(input: { email: $email, password: $password, name: "Ann" }) { secret account { id } session { id } }
}`

export type Person = { id: string; email: string; sessionId: string; authorization: string }

export async function signUp({ ask }: Stage, project: string, email: string, secret = password): Promise<Person> {
  const { signUp } = await must(ask(project, null, signUpQuery, { email, password: secret }))
  return { id: signUp.account.id, email, sessionId: signUp.session.id, authorization: `Bearer ${signUp.secret}` }
}

export async function signIn({ ask }: Stage, project: string, email: string): Promise<string> {
  const query = `mutation ($email: String!, $password: String!) { signIn(input: { email: $email, password: $password }) { secret } }`
  return `Bearer ${(await must(ask(project, null, query, { email, password }))).signIn.secret}`
}

export async function createKey(
  { ask }: Stage,
  owner: Person,
  projectId: string,
  name: string,
  scopes: readonly string[],
): Promise<{ id: string; authorization: string }> {
  const query = `mutation ($input: CreateKeyInput!) { createKey(input: $input) { secret key { id } } }`
  const { createKey } = await must(ask('console', owner.authorization, query, { input: { projectId, name, scopes } }))
  return { id: createKey.key.id, authorization: `Bearer ${createKey.secret}` }
}

export type Party = {
  name: string
  projectId: string
  owner: Person
  /** A member who is no owner. */
  developer: Person
  user: Person
  key: { id: string; authorization: string }
  /** One of each thing that has an id, by its noun. */
  ids: Record<string, string>
}

/** A project with its people, and one of everything that the API knows by an id. */
export async function createParty(stage: Stage, name: string): Promise<Party> {
  const { ask } = stage
  const owner = await signUp(stage, 'console', `owner@${name}.example`)
  const developer = await signUp(stage, 'console', `developer@${name}.example`)
  const console = (query: string, variables?: object) => must(ask('console', owner.authorization, query, variables))
  const projectId: string = (await console('mutation { createProject(input: { name: "P" }) { id } }')).createProject.id
  // Before anybody asks this project: its schema is remembered until the relay says otherwise, and none runs.
  const collections = await createBlog(stage, projectId)
  const { addMember } = await console('mutation ($input: AddMemberInput!) { addMember(input: $input) { id } }', {
    input: { projectId, email: developer.email, role: 'DEVELOPER' },
  })
  const { keyScopes } = await console('{ keyScopes { name } }')
  const scopes = keyScopes.map((scope: { name: string }) => scope.name)
  const key = await createKey(stage, owner, projectId, 'all', scopes)
  const user = await signUp(stage, projectId, `user@${name}.example`)
  await must(ask(projectId, user.authorization, 'mutation { createVerification }'))
  const things = await createThings(stage, projectId, key.authorization, user, collections)
  const ids = {
    ...things,
    project: projectId,
    key: key.id,
    member: addMember.id,
    user: user.id,
    session: user.sessionId,
  }
  return { name, projectId, owner, developer, user, key, ids }
}

function createBlog({ world }: Stage, projectId: string): Promise<Record<string, string>> {
  return createCollections(world.context(projectId), {
    authors: { attributes: { name: { type: 'STRING' } } },
    posts: {
      permissions: ['create:users'],
      documentPermissions: true,
      attributes: { title: { type: 'STRING' }, author: { type: 'RELATION', to: 'authors' } },
    },
  })
}

async function createThings(
  { ask, app }: Stage,
  projectId: string,
  authorization: string,
  user: Person,
  collections: Record<string, string>,
): Promise<Record<string, string>> {
  const made = await must(
    ask(
      projectId,
      authorization,
      `mutation {
        createWebhook(input: { name: "w", url: "https://hook.example/", events: ["users.*"] }) { webhook { id } }
        createTask(input: { name: "t", url: "https://task.example/", schedule: "0 0 1 1 *" }) { id }
        createDatabase(input: { key: "main" }) { id }
      }`,
    ),
  )
  const webhookId: string = made.createWebhook.webhook.id
  const { db } = app
  const tail = projectId.slice(4)
  const { posts: collectionId = '' } = collections
  const attribute = await db.attribute.findFirstOrThrow({ where: { collectionId, key: 'title' } })
  const index = {
    id: `idx_${tail}`,
    projectId,
    collectionId,
    key: 'byTitle',
    type: 'KEY',
    attributes: ['title'],
  } as const
  await db.index.create({ data: { ...index, orders: ['ASC'], status: 'AVAILABLE' } })
  const delivery = {
    id: `dlv_${tail}`,
    projectId,
    webhookId,
    eventId: crypto.randomUUID(),
    eventName: 'users.x.created',
  }
  await db.delivery.create({ data: { ...delivery, body: '{}', status: 'FAILED' } })
  const audit = { id: crypto.randomUUID(), projectId, seq: 1n, event: 'users.x.created', resource: `users.${user.id}` }
  await db.audit.create({ data: { ...audit, actorKind: 'user', actorId: user.id, payload: {}, at: new Date() } })
  const mail = { id: `mai_${tail}`, projectId, eventId: crypto.randomUUID(), template: 'verification' }
  await db.mail.create({ data: { ...mail, recipient: user.email } })
  const documents = await must(
    ask(
      projectId,
      authorization,
      'mutation { createAuthor(input: { name: "a" }) { id } createPost(input: { title: "p" }) { id } }',
    ),
  )
  const verification = await db.verification.findFirstOrThrow({ where: { projectId } })
  return {
    webhook: webhookId,
    task: made.createTask.id,
    database: made.createDatabase.id,
    collection: collectionId,
    relatedCollection: collections.authors ?? '',
    attribute: attribute.id,
    index: index.id,
    delivery: delivery.id,
    author: documents.createAuthor.id,
    post: documents.createPost.id,
    audit: audit.id,
    mail: mail.id,
    verification: verification.id,
  }
}

/** The secret of a verification mail, of whichever project: an attacker may hold one of his own. */
export const secretOf = ({ world }: Stage, verificationId: string) => verificationSecret(world.env, verificationId)

/** Every row of every table as text, by table. Outbox, log, queue and the projects' own tables are among them. */
export async function dump({ app }: Pick<Stage, 'app'>): Promise<Map<string, string[]>> {
  const { rows: tables } = await app.sql.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg\\_%' order by 1`,
  )
  const dumped = new Map<string, string[]>()
  for (const { name } of tables) {
    const { rows } = await app.sql.query<{ text: string }>(`select t::text as text from ${name} t order by 1`)
    dumped.set(
      name,
      rows.map(({ text }) => text),
    )
  }
  return dumped
}
