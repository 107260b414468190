import {
  type Attributes,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { Env } from '../env.ts'

export type { Span }

/** What a span follows from: one of this process, or a `traceparent` that came from another; without it a trace begins. */
type Parent = Span | string | null | undefined

type Details = { attributes?: Attributes; startTime?: Date; kind?: keyof typeof SpanKind }

export type Tracing = {
  isOn: boolean
  /** Does the work as a span. Off, it just does the work. */
  span: <T>(name: string, parent: Parent, work: (span: Span | undefined) => Promise<T>, details?: Details) => Promise<T>
  /** Notes work that is over. */
  note: (name: string, parent: string, startTime: Date, details?: Details & { endTime?: Date }) => void
  close: () => Promise<void>
}

/** Where OTEL_EXPORTER_OTLP_ENDPOINT is set, spans are sent there. Without it nothing is loaded and nothing is done. */
export async function createTracing(env: Env, process: string): Promise<Tracing> {
  const endpoint = env.OTEL_EXPORTER_OTLP_ENDPOINT
  if (!endpoint)
    return { isOn: false, span: (_name, _parent, work) => work(undefined), note: () => {}, close: async () => {} }
  const provider = await createProvider(endpoint, env.OTEL_TRACES_SAMPLER_ARG, process)
  const tracer = provider.getTracer('tendril')
  return {
    isOn: true,
    span: (name, parent, work, details) => run(begin(tracer, name, parent, details), work),
    note: (name, parent, startTime, { endTime, ...details } = {}) =>
      begin(tracer, name, parent, { ...details, startTime }).end(endTime),
    // A collector that is away must not keep the process.
    close: () => provider.shutdown().catch(() => {}),
  }
}

async function createProvider(endpoint: string, ratio: number, process: string) {
  const { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } = await import(
    '@opentelemetry/sdk-trace'
  )
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http')
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces`, timeoutMillis: 5_000 })
  const { defaultResource, resourceFromAttributes } = await import('@opentelemetry/resources')
  return new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': `tendril-${process}` }).merge(defaultResource()),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: 1_000 })],
  })
}

function begin(
  tracer: Tracer,
  name: string,
  parent: Parent,
  { attributes = {}, startTime, kind = 'INTERNAL' }: Details = {},
): Span {
  const from = typeof parent === 'string' ? parse(parent) : parent
  const context = from ? trace.setSpan(ROOT_CONTEXT, from) : ROOT_CONTEXT
  return tracer.startSpan(name, { kind: SpanKind[kind], attributes, ...(startTime && { startTime }) }, context)
}

async function run<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await work(span)
  } catch (error) {
    // Its name only: what it says may be somebody's.
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'Error' })
    throw error
  } finally {
    span.end()
  }
}

const form = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/

/** A W3C `traceparent` as a span that is elsewhere. Null for what is none. */
function parse(text: string): Span | null {
  const [, traceId, spanId, flags] = form.exec(text) ?? []
  if (!traceId || !spanId || !flags) return null
  return trace.wrapSpanContext({ traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true })
}

/** The `traceparent` that names this span to others, and says whether it is recorded. Null without traces. */
export function traceparentOf(span: Span | undefined): string | null {
  const context = span?.spanContext()
  return context ? `00-${context.traceId}-${context.spanId}-0${context.traceFlags & TraceFlags.SAMPLED}` : null
}
