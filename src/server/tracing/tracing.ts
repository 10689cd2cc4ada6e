/**
 * OpenTelemetry traces of requests: one span for each request, with its phases as children. A span contains no names of resources, no
 * addresses and no secrets. This module is loaded only if the operator set an endpoint.
 */
import { type Context, type HrTime, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-node';
import { header, type Received } from '#core/exchange.ts';
import type { CoreAnswer } from '../core/core-batches.ts';
import { PHASES, type RequestTrace } from '../core/phases.ts';
import type { Log } from '../log.ts';
import { VERSION } from '../version.ts';

export interface TracingParts {
  /** URL of the collector. */
  readonly endpoint: string;
  /** Whether a client's trace is continued. */
  readonly continues: boolean;
  readonly log: Log;
}

export interface Tracing {
  /** Adds the span of a request. Does not wait and does not throw. */
  add(received: Received, answer: CoreAnswer): void;
  /** Sends the remaining spans, as far as the collector accepts them within a second. Never rejects. */
  stop(): Promise<void>;
}

/** Limits of the exporter. Spans that do not fit are dropped, so a slow collector costs a bounded amount of memory. */
const SPANS_WAITING_MAX = 8_192;
const SPANS_AT_ONCE = 512;
const EXPORT_EVERY_MS = 2_000;
const EXPORT_WITHIN_MS = 5_000;
/** Time that a stop waits for the last export. */
const STOP_WITHIN_MS = 1_000;
/** Interval between two log lines about failed exports. */
const LOGGED_EVERY_MS = 60_000;
const REASON_MAX = 200;

/** Version, trace ID, parent ID and flags. Source: W3C Trace Context, 3.2. A later version may have more members. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})$/;

/** Starts to send traces. A collector that does not respond affects only the traces. */
export function startTracing({ endpoint, continues, log }: TracingParts): Tracing {
  const exporter = reporting(new OTLPTraceExporter({ url: endpoint, timeoutMillis: EXPORT_WITHIN_MS, concurrencyLimit: 2 }), log);
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'belfry', 'service.version': VERSION }),
    sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
    spanProcessors: [
      new BatchSpanProcessor(exporter, {
        maxQueueSize: SPANS_WAITING_MAX,
        maxExportBatchSize: SPANS_AT_ONCE,
        scheduledDelayMillis: EXPORT_EVERY_MS,
        exportTimeoutMillis: EXPORT_WITHIN_MS,
      }),
    ],
  });
  const tracer = provider.getTracer('belfry');

  return {
    add(received, { status, trace: facts }) {
      if (facts === undefined) return;
      const { service, operation } = facts;
      const attributes = attributesOf(received, status, facts);
      const options = { kind: SpanKind.SERVER, startTime: hrTime(facts.receivedAt), attributes };
      const span = tracer.startSpan(`${service}/${operation}`, options, continues ? parentOf(received) : ROOT_CONTEXT);
      // Source: OpenTelemetry semantic conventions for HTTP servers: only server errors are errors of the span.
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      const context = trace.setSpan(ROOT_CONTEXT, span);
      let began = 0;
      for (const phase of PHASES) {
        const ended = facts.ends[phase];
        if (ended === undefined) break;
        tracer.startSpan(phase, { startTime: hrTime(facts.beganAt + began) }, context).end(hrTime(facts.beganAt + ended));
        began = ended;
      }
      span.end(hrTime(Math.max(facts.receivedAt, facts.beganAt + facts.elapsedMs)));
    },
    async stop() {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, STOP_WITHIN_MS);
      await Promise.race([provider.shutdown().catch(() => undefined), late.promise]);
      clearTimeout(timer);
    },
  };
}

function attributesOf({ requestId }: Received, status: number, facts: RequestTrace) {
  return {
    'rpc.system': 'aws-api',
    'rpc.service': facts.service,
    'rpc.method': facts.operation,
    'http.response.status_code': status,
    'aws.request_id': requestId,
    ...(facts.accountId !== undefined && { 'cloud.account.id': facts.accountId }),
    ...(facts.region !== undefined && { 'cloud.region': facts.region }),
    ...(facts.errorCode !== undefined && { 'error.type': facts.errorCode }),
  };
}

/** Returns the context of the client's span, or an empty context if the header is absent or invalid. */
function parentOf(received: Received): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(header(received, 'traceparent') ?? '') ?? [];
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags as string, 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** Returns the seconds and nanoseconds of a time in milliseconds. The library would treat small numbers as times since the start. */
function hrTime(milliseconds: number): HrTime {
  const seconds = Math.floor(milliseconds / 1_000);
  return [seconds, Math.round((milliseconds - seconds * 1_000) * 1e6)];
}

/** Returns an exporter that logs its failures, at most once a minute. */
function reporting(exporter: SpanExporter, log: Log): SpanExporter {
  let loggedAt = Number.NEGATIVE_INFINITY;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const now = performance.now();
        if (result.error !== undefined && now - loggedAt >= LOGGED_EVERY_MS) {
          loggedAt = now;
          log(`could not send traces to BELFRY_OTLP_ENDPOINT: ${result.error.message.slice(0, REASON_MAX)}`, 'warning');
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
