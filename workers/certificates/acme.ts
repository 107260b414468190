import acme from 'acme-client'
import type { Context } from '../../src/context.ts'
import { accountKey, dropChallenge, keepChallenge } from '../../src/modules/certificates/certificates.ts'
import type { Egress, Reply } from '../../src/platform/egress.ts'

/** The authority takes no more for now. */
export class Postponed extends Error {
  readonly waitMs: number

  constructor(waitMs: number) {
    super('The certificate authority takes no more requests for now.')
    this.waitMs = waitMs
  }
}

/** Gets a certificate for a name from the certificate authority. Throws Postponed, EgressRefused, or what the authority says. */
export async function issue(ctx: Context, egress: Egress, name: string): Promise<{ chain: string; key: string }> {
  const { ACME_DIRECTORY_URL: directoryUrl, ACME_EMAIL: email } = ctx.env
  goOutBy(egress)
  const newKey = async () => String(await acme.crypto.createPrivateEcdsaKey())
  const account = await accountKey(ctx, directoryUrl, newKey)
  const client = new acme.Client({
    directoryUrl,
    accountKey: account,
    backoffMin: 500,
    backoffMax: 10_000,
    backoffAttempts: 15,
  })
  const [key, csr] = await acme.crypto.createCsr({ altNames: [name] }, await newKey())
  const chain = await client.auto({
    csr,
    ...(email && { email }),
    termsOfServiceAgreed: true,
    challengePriority: ['http-01'],
    // The authority looks for itself, from where it is.
    skipChallengeVerification: true,
    challengeCreateFn: (_authorization, { token }, answer) => keepChallenge(ctx, token, answer),
    challengeRemoveFn: (_authorization, { token }) => dropChallenge(ctx, token),
  })
  return { chain, key: String(key) }
}

/** What axios tells an adapter of a request, as far as it matters here. */
type Asked = { url?: string; method?: string; headers: object; data?: unknown }

/** acme-client has one way out for a process: it becomes ours, which refuses private addresses. */
function goOutBy(egress: Egress): void {
  const { defaults } = acme.axios
  // Jobs are tried again, by a schedule that goes on when this process does not.
  Object.assign(defaults, { acmeSettings: { retryMaxAttempts: 0 } })
  Object.assign(defaults, {
    adapter: async (config: Asked) => {
      const { url = '', method = 'get', data } = config
      const headers = Object.fromEntries(
        Object.entries({ ...config.headers }).map(([key, value]) => [key, String(value)]),
      )
      const body = typeof data === 'string' ? data : undefined
      const reply = await egress.send({ method: method.toUpperCase(), url, headers, body, timeoutMs: 30_000 })
      const waitMs = waitOf(reply)
      if (waitMs !== null) throw new Postponed(waitMs)
      return { status: reply.status, statusText: '', headers: reply.headers, data: reply.body, config }
    },
  })
}

/** For how long the authority wants to be left alone, null when it answers. */
function waitOf({ status, headers }: Reply): number | null {
  if (status !== 429 && status !== 503) return null
  const after = String(headers['retry-after'] ?? '')
  const seconds = /^\d+$/.test(after) ? Number(after) : (Date.parse(after) - Date.now()) / 1_000
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 60), 7 * 86_400) * 1_000 : 3_600_000
}
