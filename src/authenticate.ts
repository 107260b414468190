import { type Actor, type Context, type CostLimits, consoleProjectId, type Services } from './context.ts'
import { NotFound, Unauthenticated } from './errors.ts'
import type { Identity } from './identities.ts'
import { hashSecret } from './lib/secrets.ts'
import { type RunClaims, readRunToken } from './modules/executions/tokens.ts'

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
  const { name, read, run } = lookUp(services, credentials)
  return enter(services, credentials, await services.identities.find(name, services.clock(), read), run)
}

/** The same as it stands in the database at this moment, for those who are told that it changed. */
async function authenticateAgain(services: Services, credentials: Credentials): Promise<Context> {
  const { read, run } = lookUp(services, credentials)
  return enter(services, credentials, await read(), run)
}

type LookUp = {
  /** What is found is remembered under it. */
  name: string
  read: () => Promise<Identity<Found>>
  /** The run that a credential was given to. */
  run: RunClaims | null
}

function lookUp(services: Services, { projectId, authorization }: Credentials): LookUp {
  const secret = secretOf(authorization)
  const run = secret?.startsWith('run_') ? readRunToken(services.env, secret, services.clock()) : null
  if (run?.projectId === projectId) {
    // All runs of a function are the same caller.
    const name = `${projectId} run ${run.functionId} ${run.sessionId ?? ''}`
    return { name, read: () => findRun(services, run), run }
  }
  const hash = secret === null ? '' : hashSecret(secret)
  return { name: `${projectId} ${hash}`, read: () => findIdentity(services, projectId, secret, hash), run: null }
}

function enter(
  services: Services,
  credentials: Credentials,
  { found }: Identity<Found>,
  run: RunClaims | null,
): Context {
  const { projectId, authorization } = credentials
  if (!found.projectExists) throw new NotFound('There is no such project.')
  const { actor, costLimits, signedInFrom } = found
  if (authorization && !actor) throw new Unauthenticated(whyNobody(authorization))
  return {
    ...services,
    requestId: credentials.requestId,
    projectId,
    actor,
    costLimits,
    // A run comes from an executor, as those for all others do.
    client: { ip: (run && signedInFrom) || credentials.ip, userAgent: credentials.userAgent },
    reauthenticate: () => authenticateAgain(services, credentials).catch(asNobody),
    ...(run && { run: { ...run, idempotencyKey: null } }),
  }
}

function whyNobody(authorization: string): string {
  return /^Bearer +\S/i.test(authorization)
    ? 'This credential is not valid here, or no longer.'
    : 'A credential is sent as `Bearer`, a space, and the secret.'
}

function asNobody(error: unknown): null {
  if (error instanceof Unauthenticated || error instanceof NotFound) return null
  throw error
}

function secretOf(authorization: string | null): string | null {
  const [, secret] = /^Bearer +([a-z]+_[\w-]{20,200}|run_[\w-]{20,800}\.[\w-]{43})$/i.exec(authorization ?? '') ?? []
  return secret ?? null
}

type Found = {
  actor: Actor | null
  projectExists: boolean
  costLimits: CostLimits
  /** Where the session began that is shown, or that a run acts with. */
  signedInFrom?: string | undefined
}

/** A project that is not there, and a credential that is not valid, name no ids: they are asked for each time. */
const noProject: Identity<Found> = {
  found: { actor: null, projectExists: false, costLimits: {} },
  ids: [],
  expiresAt: null,
}

type ProjectRow = { costLimits: CostLimits }

function findIdentity(
  services: Services,
  projectId: string,
  secret: string | null,
  hash: string,
): Promise<Identity<Found>> {
  if (secret?.startsWith('key_')) return findKey(services, projectId, hash)
  if (secret?.startsWith('ses_')) return findSession(services, projectId, { hash })
  return findProject(services, projectId)
}

async function findProject({ sql }: Services, projectId: string): Promise<Identity<Found>> {
  const { rows } = await sql.query<ProjectRow>({
    name: 'project',
    text: 'select "costLimits" from projects where id = $1 and "deletedAt" is null',
    values: [projectId],
  })
  const [row] = rows
  if (!row) return noProject
  return { found: { actor: null, projectExists: true, costLimits: row.costLimits }, ids: [projectId], expiresAt: null }
}

type KeyRow = ProjectRow & { id: string | null; scopes: string[]; expiresAt: Date | null }

async function findKey({ sql, clock }: Services, projectId: string, hash: string): Promise<Identity<Found>> {
  const { rows } = await sql.query<KeyRow>({
    name: 'key',
    text: `select p."costLimits", k.id, k.scopes, k."expiresAt" from projects p
           left join keys k on k."projectId" = p.id and k.hash = $2 and (k."expiresAt" is null or k."expiresAt" > $3)
           where p.id = $1 and p."deletedAt" is null`,
    values: [projectId, hash, clock()],
  })
  const [row] = rows
  if (!row) return noProject
  const actor: Actor | null = row.id ? { kind: 'key', id: row.id, scopes: new Set(row.scopes) } : null
  const ids = row.id ? [projectId, row.id] : []
  return { found: { actor, projectExists: true, costLimits: row.costLimits }, ids, expiresAt: row.expiresAt }
}

type FunctionRow = ProjectRow & { id: string | null; scopes: string[]; runAs: 'CALLER' | 'FUNCTION' }

/** A run's token is as good as its function; that of a run for a user, as good as their session, too. */
async function findRun(services: Services, { projectId, functionId, sessionId }: RunClaims): Promise<Identity<Found>> {
  const { rows } = await services.sql.query<FunctionRow>({
    name: 'run',
    text: `select p."costLimits", f.id, f.scopes, f."runAs" from projects p
           left join functions f on f."projectId" = p.id and f.id = $2 and f.enabled and f."deletedAt" is null
           where p.id = $1 and p."deletedAt" is null`,
    values: [projectId, functionId],
  })
  const [row] = rows
  if (!row) return noProject
  const nobody = { found: { actor: null, projectExists: true, costLimits: row.costLimits }, ids: [], expiresAt: null }
  if (!row.id) return nobody
  if (sessionId === null) {
    const actor: Actor = { kind: 'function', id: row.id, scopes: new Set(row.scopes) }
    return { ...nobody, found: { ...nobody.found, actor }, ids: [projectId, row.id] }
  }
  const session = await findSession(services, projectId, { id: sessionId })
  const isTheirs = row.runAs === 'CALLER' && session.found.actor?.kind === 'user'
  return isTheirs ? { ...session, ids: [...session.ids, row.id] } : nobody
}

type SessionRow = ProjectRow & {
  sessionId: string | null
  expiresAt: Date | null
  ip: string
  userId: string
  emailVerified: boolean
  labels: string[]
  isAccount: boolean
  role: 'OWNER' | 'DEVELOPER' | null
}

/** A session opens its own project; one of the console opens each project of which its user is a member. */
async function findSession(
  services: Services,
  projectId: string,
  by: { hash: string } | { id: string },
): Promise<Identity<Found>> {
  const { sql, clock } = services
  const { rows } = await sql.query<SessionRow>({
    name: 'hash' in by ? 'session' : 'session by id',
    text: `select p."costLimits", s.id as "sessionId", s."expiresAt", s.ip, u.id as "userId", u."emailVerified", u.labels,
             u."projectId" = '${consoleProjectId}' as "isAccount", m.role
           from projects p
           left join (sessions s join users u on u.id = s."userId" and u.status = 'ACTIVE')
             on s.${'hash' in by ? 'hash' : 'id'} = $2 and s."expiresAt" > $3 and s."projectId" in (p.id, '${consoleProjectId}')
           left join members m on m."projectId" = p.id and m."userId" = u.id
           where p.id = $1 and p."deletedAt" is null and (s."projectId" is null or s."projectId" = p.id or m.id is not null)`,
    values: [projectId, 'hash' in by ? by.hash : by.id, clock()],
  })
  const [row] = rows
  // Whoever is no member of the project is a nobody there, and the project exists or does not.
  if (!row) return { ...(await findProject(services, projectId)), ids: [] }
  const { costLimits, sessionId, userId, expiresAt, ip } = row
  const ids = sessionId ? [projectId, userId, sessionId] : []
  return { found: { actor: actorOf(row), projectExists: true, costLimits, signedInFrom: ip }, ids, expiresAt }
}

function actorOf(row: SessionRow): Actor | null {
  if (!row.sessionId) return null
  if (row.isAccount) return { kind: 'account', id: row.userId, sessionId: row.sessionId, role: row.role }
  return { kind: 'user', id: row.userId, sessionId: row.sessionId, verified: row.emailVerified, labels: row.labels }
}
