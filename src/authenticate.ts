import { type Actor, type Context, consoleProjectId, type Services } from './context.ts'
import { NotFound, Unauthenticated } from './errors.ts'
import { hashSecret } from './lib/secrets.ts'

export type Credentials = {
  projectId: string
  /** The value of the `Authorization` header or of `connection_init`, null for none. */
  authorization: string | null
  requestId: string
  ip: string
  userAgent: string
}

/**
 * Who asks, of which project: the one way in for every transport. No credential makes a guest; one that is given but not
 * valid is refused, so that nobody works as a guest unawares. Throws NotFound for a project that does not exist.
 */
export async function authenticate(services: Services, credentials: Credentials): Promise<Context> {
  const { projectId, authorization } = credentials
  const { actor, projectExists } = await findActor(services, projectId, secretOf(authorization))
  if (!projectExists) throw new NotFound('There is no such project.')
  if (authorization && !actor) throw new Unauthenticated('This credential is not valid here, or no longer.')
  return {
    ...services,
    requestId: credentials.requestId,
    projectId,
    actor,
    client: { ip: credentials.ip, userAgent: credentials.userAgent },
    reauthenticate: () => authenticate(services, credentials).catch(asNobody),
  }
}

function asNobody(error: unknown): null {
  if (error instanceof Unauthenticated || error instanceof NotFound) return null
  throw error
}

function secretOf(authorization: string | null): string | null {
  const [, secret] = /^Bearer +([a-z]+_[\w-]{20,200})$/i.exec(authorization ?? '') ?? []
  return secret ?? null
}

type Found = { actor: Actor | null; projectExists: boolean }

async function findActor(services: Services, projectId: string, secret: string | null): Promise<Found> {
  if (secret?.startsWith('key_')) return findKey(services, projectId, secret)
  if (secret?.startsWith('ses_')) return findSession(services, projectId, secret)
  const { rows } = await services.sql.query({
    name: 'project',
    text: 'select 1 from projects where id = $1',
    values: [projectId],
  })
  return { actor: null, projectExists: rows.length > 0 }
}

type KeyRow = { id: string | null; scopes: string[] }

async function findKey({ sql, clock }: Services, projectId: string, secret: string): Promise<Found> {
  const { rows } = await sql.query<KeyRow>({
    name: 'key',
    text: `select k.id, k.scopes from projects p
           left join keys k on k."projectId" = p.id and k.hash = $2 and (k."expiresAt" is null or k."expiresAt" > $3)
           where p.id = $1`,
    values: [projectId, hashSecret(secret), clock()],
  })
  const [row] = rows
  const actor: Actor | null = row?.id ? { kind: 'key', id: row.id, scopes: new Set(row.scopes) } : null
  return { actor, projectExists: row !== undefined }
}

type SessionRow = {
  sessionId: string | null
  userId: string
  emailVerified: boolean
  labels: string[]
  isAccount: boolean
  role: 'OWNER' | 'DEVELOPER' | null
}

/** A session opens its own project; one of the console opens each project of which its user is a member. */
async function findSession({ sql, clock }: Services, projectId: string, secret: string): Promise<Found> {
  const { rows } = await sql.query<SessionRow>({
    name: 'session',
    text: `select s.id as "sessionId", u.id as "userId", u."emailVerified", u.labels, u."projectId" = '${consoleProjectId}' as "isAccount", m.role
           from projects p
           left join (sessions s join users u on u.id = s."userId" and u.status = 'ACTIVE')
             on s.hash = $2 and s."expiresAt" > $3 and s."projectId" in (p.id, '${consoleProjectId}')
           left join members m on m."projectId" = p.id and m."userId" = u.id
           where p.id = $1 and (s."projectId" is null or s."projectId" = p.id or m.id is not null)`,
    values: [projectId, hashSecret(secret), clock()],
  })
  const [row] = rows
  if (!row) return { actor: null, projectExists: await exists(sql, projectId) }
  return { actor: actorOf(row), projectExists: true }
}

function actorOf(row: SessionRow): Actor | null {
  if (!row.sessionId) return null
  if (row.isAccount) return { kind: 'account', id: row.userId, sessionId: row.sessionId, role: row.role }
  return { kind: 'user', id: row.userId, sessionId: row.sessionId, verified: row.emailVerified, labels: row.labels }
}

async function exists(sql: Services['sql'], projectId: string): Promise<boolean> {
  return (await sql.query('select 1 from projects where id = $1', [projectId])).rows.length > 0
}
