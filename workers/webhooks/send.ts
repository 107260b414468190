import type { Services } from '../../src/context.ts'
import { authorizationOf, readBasicAuth, readHeaders } from '../../src/modules/calls/secrets.ts'
import type { Due, Outcome, Receiver } from '../../src/modules/deliveries/attempts.ts'
import { parseRetryAfter } from '../../src/modules/deliveries/schedule.ts'
import { liveSecrets, signedHeaders } from '../../src/modules/webhooks/secrets.ts'
import { type Egress, EgressFailed, EgressRefused, shortened } from '../../src/platform/egress.ts'
import { type Span, traceparentOf } from '../../src/platform/tracing.ts'

/** One request of a delivery, and what came of it. */
export async function sendDelivery(
  services: Services,
  egress: Egress,
  { eventId, body, webhook, trace }: Pick<Due, 'eventId' | 'body' | 'webhook' | 'trace'>,
): Promise<Outcome> {
  const started = performance.now()
  const durationMs = () => Math.round(performance.now() - started)
  const { url, verifyTls } = webhook
  const { headers, shown } = headersOf(services, webhook, { id: eventId, at: services.clock(), body })
  try {
    const reply = await services.tracing.span(
      'webhook',
      trace,
      (span) => egress.send({ method: 'POST', url, headers: { ...headers, ...traceHeaders(span) }, body, verifyTls }),
      { kind: 'CLIENT' },
    )
    const retryAfterMs = parseRetryAfter(reply.headers['retry-after'], services.clock())
    const error = reply.status >= 300 && reply.status < 400 ? 'A redirect is not followed.' : null
    const { status } = reply
    const answer = { status, responseHeaders: shortened(reply), body: reply.body, error }
    return { requestHeaders: shown, ...answer, durationMs: durationMs(), retryAfterMs }
  } catch (error) {
    if (!(error instanceof EgressRefused || error instanceof EgressFailed)) throw error
    const nothing = { status: null, responseHeaders: null, body: null, retryAfterMs: null }
    return { requestHeaders: shown, ...nothing, error: error.message, durationMs: durationMs() }
  }
}

/** What is sent, and the same as it may be shown: the user's own headers can be secrets. */
function headersOf({ env, clock }: Services, webhook: Receiver, message: Parameters<typeof signedHeaders>[1]) {
  const signed = signedHeaders(liveSecrets(env, webhook.secrets, clock()), message)
  const secret = { ...readHeaders(env, webhook.headers), ...authorizationOf(readBasicAuth(env, webhook.basicAuth)) }
  const hidden = Object.fromEntries(Object.keys(secret).map((name) => [name, '***']))
  const plain = { 'content-type': 'application/json', 'user-agent': 'Tendril-Webhooks/1.0' }
  return { headers: { ...plain, ...secret, ...signed }, shown: { ...plain, ...hidden, ...signed } }
}

function traceHeaders(span: Span | undefined): Record<string, string> {
  const traceparent = traceparentOf(span)
  return traceparent ? { traceparent } : {}
}
