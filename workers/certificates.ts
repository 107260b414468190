import { setTimeout as sleep } from 'node:timers/promises'
import { asSystem, type Services } from '../src/context.ts'
import { claimDue, keepCertificate, noteFailure, servedDomains } from '../src/modules/certificates/certificates.ts'
import { issueCertificateJob } from '../src/modules/certificates/jobs.ts'
import type { Egress } from '../src/platform/egress.ts'
import { issue, Postponed } from './certificates/acme.ts'
import { writeFiles } from './certificates/files.ts'
import { implement, onEvent, type Worker } from './implement.ts'

/** How often a process looks whether its files are those of the domains. */
const everyMs = 1_000

/** Gets certificates for domains, renews them in time, and writes them where a proxy finds them. */
export const certificates: Worker = {
  name: 'certificates',
  jobs: [],
  outgoing: ({ egress }) => [
    implement(issueCertificateJob, ({ key: _key, signal: _signal, ...services }, { domainId }) =>
      renew(services, egress, domainId),
    ),
  ],
  reactions: [
    onEvent(['domains.verified'], issueCertificateJob, {
      data: ({ aggregate }) => ({ domainId: aggregate.split('.')[1] ?? '' }),
    }),
  ],
  // Renewals are owed from the moment that they are due; each has a key of its own.
  owed: async ({ sql, clock }) => {
    const { rows } = await sql.query<{ id: string; renewAt: Date; projectId: string }>(
      `select id, "renewAt", "projectId" from domains where "verifiedAt" is not null and "renewAt" < $1 order by "renewAt" limit 100`,
      [clock()],
    )
    return rows.map(({ id, renewAt, projectId }) => ({
      job: issueCertificateJob,
      key: `${id}.${renewAt.getTime()}`,
      data: { domainId: id },
      projectId,
    }))
  },
  start: (services) => {
    const { CERTIFICATES_DIR: dir } = services.env
    return dir === undefined ? { stop: async () => {} } : startWriting(services, dir)
  },
}

async function renew(services: Services, egress: Egress, domainId: string): Promise<void> {
  const ctx = asSystem(services, 'certificates', '')
  const domain = await claimDue(ctx, domainId)
  if (!domain) return
  try {
    await keepCertificate(ctx, domain, await issue(ctx, egress, domain.name))
  } catch (error) {
    services.log.warn({ err: error, domainId }, 'a certificate could not be had')
    const reason = error instanceof Error ? error.message : String(error)
    await noteFailure(ctx, domain, reason, error instanceof Postponed ? error.waitMs : 0)
  }
}

/** Every process that has a place for them keeps the files current, whichever process got the certificate. */
function startWriting(services: Services, dir: string) {
  const stopping = new AbortController()
  let seen = ''
  const look = async () => {
    const { rows } = await services.sql.query<{ state: string }>(
      `select concat_ws(' ', count(*), max("updatedAt"), md5(string_agg(id, ',' order by id))) as state from domains where "verifiedAt" is not null`,
    )
    const state = rows[0]?.state ?? ''
    if (state === seen) return
    if (await writeFiles(dir, await servedDomains(services))) services.log.info('certificates were written')
    seen = state
  }
  const run = async () => {
    while (!stopping.signal.aborted) {
      await look().catch((error) => services.log.warn({ err: error }, 'certificates could not be written'))
      await sleep(everyMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const running = run()
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}
