/**
 * Metrics of the server, with their names. Each is declared once, and all others (the alert rules, the dashboard and the guide) use these
 * names. The number of series is bounded: labels come from the service models and from constants, never from a client.
 */

import { LOSSY_DELIVERIES } from '#services/kit/losses.ts';
import type { Bounds, DurationFigures } from '../core/durations.ts';
import { SYNC_BOUNDS_MS } from '../core/durations.ts';
import { type CoreFigures, DECISIONS } from '../core/figures.ts';
import { REQUEST_BOUNDS_MS, type RequestFigures, STATUS_CLASSES } from '../core/request-counts.ts';
import type { Counts } from '../edge/holdings.ts';
import type { ThreadFigures } from '../thread-figures.ts';
import { VERSION } from '../version.ts';

/** One value of a metric. `suffix` is the end of the name of a series of a histogram. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly suffix?: '_bucket' | '_sum' | '_count';
}

/** Figures of both threads. `core` is absent if the core did not answer. */
export interface Figures {
  readonly core: CoreFigures | undefined;
  readonly main: ThreadFigures;
  readonly connections: Counts & { readonly queued: number };
  readonly messagingSockets: number;
  readonly process: ProcessFigures;
}

/** Figures of the process. `openFiles` is absent if the system does not say it. */
export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly startedAtSeconds: number;
  readonly openFiles?: number;
}

/** A metric. `samples` returns no samples if the figure does not exist. */
export interface Family {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly samples: (figures: Figures) => readonly Sample[];
}

const NO_LABELS = {};

function value(found: number | undefined): readonly Sample[] {
  return found === undefined ? [] : [{ labels: NO_LABELS, value: found }];
}

function seconds(milliseconds: number | undefined): readonly Sample[] {
  return value(milliseconds === undefined ? undefined : milliseconds / 1_000);
}

function flag(is: boolean | undefined): readonly Sample[] {
  return value(is === undefined ? undefined : Number(is));
}

/** Returns the samples of a histogram in the order that Prometheus expects. */
function histogram(labels: Sample['labels'], bounds: Bounds, { counts, sumMs }: DurationFigures): readonly Sample[] {
  let count = 0;
  const buckets = counts.map((each, i): Sample => {
    count += each;
    const bound = bounds[i];
    return { suffix: '_bucket', labels: { ...labels, le: bound === undefined ? '+Inf' : String(bound / 1_000) }, value: count };
  });
  return [...buckets, { suffix: '_sum', labels, value: sumMs / 1_000 }, { suffix: '_count', labels, value: count }];
}

const BUCKETS = REQUEST_BOUNDS_MS.length + 1;

function byStatus({ service, operation, counts }: RequestFigures): readonly Sample[] {
  return STATUS_CLASSES.flatMap((status, i) => {
    const count = counts.subarray(i * BUCKETS, (i + 1) * BUCKETS).reduce((sum, each) => sum + each, 0);
    return count === 0 ? [] : [{ labels: { service, operation, status }, value: count }];
  });
}

function durations({ service, operation, counts, sumMs }: RequestFigures): readonly Sample[] {
  const all = Array.from({ length: BUCKETS }, (_, bucket) =>
    STATUS_CLASSES.reduce((sum, _class, i) => sum + (counts[i * BUCKETS + bucket] as number), 0),
  );
  return histogram({ service, operation }, REQUEST_BOUNDS_MS, { counts: all, sumMs });
}

function ofThreads({ core, main }: Figures, read: (thread: ThreadFigures) => number): readonly Sample[] {
  const threads = [['main', main] as const, ...(core === undefined ? [] : [['core', core.thread] as const])];
  return threads.map(([thread, figures]) => ({ labels: { thread }, value: read(figures) }));
}

function delays(figures: Figures): readonly Sample[] {
  return (['median', 'p99', 'max'] as const).flatMap((statistic) =>
    ofThreads(figures, ({ delay }) => delay[statistic]).map(({ labels, value: found }) => ({
      labels: { ...labels, statistic },
      value: found,
    })),
  );
}

// biome-ignore format: a table
export const FAMILIES: readonly Family[] = [
  { name: 'belfry_requests_total', type: 'counter', help: 'Requests by service, operation and class of the status. Requests with an unknown operation have the operation unknown', samples: ({ core }) => core?.requests.flatMap(byStatus) ?? [] },
  { name: 'belfry_request_duration_seconds', type: 'histogram', help: 'Time from the head of a request to its answer by the core, by service and operation', samples: ({ core }) => core?.requests.flatMap(durations) ?? [] },
  { name: 'belfry_authorization_decisions_total', type: 'counter', help: 'Authorizations by result', samples: ({ core }) => core?.decisions.map((count, i) => ({ labels: { decision: DECISIONS[i] as string }, value: count })) ?? [] },
  { name: 'belfry_core_responding', type: 'gauge', help: '1 if the core thread answered this request for metrics', samples: ({ core }) => flag(core !== undefined) },
  { name: 'belfry_lease_held', type: 'gauge', help: '1 if the server holds its lease. Without it, the server refuses all requests', samples: ({ core }) => flag(core?.lease.held) },
  { name: 'belfry_lease_age_seconds', type: 'gauge', help: 'Time since the server requested its current lease. 0 if the database has only one server', samples: ({ core }) => seconds(core?.lease.ageMs) },
  { name: 'belfry_log_sync_duration_seconds', type: 'histogram', help: 'Duration of the syncs that make commits durable. Absent on PostgreSQL', samples: ({ core }) => core?.syncs === undefined ? [] : histogram(NO_LABELS, SYNC_BOUNDS_MS, core.syncs) },
  { name: 'belfry_database_responding', type: 'gauge', help: '1 if the database answered this request for metrics', samples: ({ core }) => flag(core && core.stored !== undefined) },
  { name: 'belfry_trail_writable', type: 'gauge', help: '0 while the trail cannot be written. The server then refuses requests', samples: ({ core }) => flag(core?.trailWritable) },
  { name: 'belfry_trail_records', type: 'gauge', help: 'Trail records from the oldest stored one to the last one in the transparency log', samples: ({ core }) => value(core?.stored?.trail.records) },
  { name: 'belfry_trail_bytes', type: 'gauge', help: 'Size of these records, estimated from the latest ones', samples: ({ core }) => value(core?.stored?.trail.characters) },
  { name: 'belfry_trail_altered_rows', type: 'gauge', help: 'Rows of expired trail records that were altered in the database, which are kept as evidence', samples: ({ core }) => value(core?.stored?.alteredRows) },
  { name: 'belfry_trail_delivery_lag_seconds', type: 'gauge', help: 'Age of the oldest record that a trail has not read for its log files', samples: ({ core }) => seconds(core?.stored?.deliveryLagMs) },
  { name: 'belfry_outgoing_messages', type: 'gauge', help: 'Messages that wait to be sent to targets. The server counts at most 20,000', samples: ({ core }) => value(core?.stored?.outgoing.messages) },
  { name: 'belfry_outgoing_oldest_age_seconds', type: 'gauge', help: 'Age of the oldest of these messages', samples: ({ core }) => seconds(core?.stored?.outgoing.oldestAgeMs) },
  { name: 'belfry_outgoing_sent_total', type: 'counter', help: 'Outgoing messages whose receiver has confirmed them', samples: ({ core }) => value(core?.deliveries.sent) },
  { name: 'belfry_outgoing_failed_attempts_total', type: 'counter', help: 'Attempts to send a message that failed', samples: ({ core }) => value(core?.deliveries.failedAttempts) },
  { name: 'belfry_outgoing_dead_letters_total', type: 'counter', help: 'Messages that were not delivered and went to a dead-letter queue', samples: ({ core }) => value(core?.deliveries.deadLetters) },
  { name: 'belfry_outgoing_lost_total', type: 'counter', help: 'Messages that were not delivered and have no dead-letter queue', samples: ({ core }) => value(core?.deliveries.lost) },
  { name: 'belfry_delivery_lost_total', type: 'counter', help: 'Events, notifications and SIP messages that were not delivered and are in no queue, by delivery', samples: ({ core }) => core?.losses.map((count, i) => ({ labels: { delivery: LOSSY_DELIVERIES[i] as string }, value: count })) ?? [] },
  { name: 'belfry_sockets', type: 'gauge', help: 'Open connections by kind', samples: ({ connections, messagingSockets }) => [{ labels: { kind: 'http' }, value: Math.max(0, connections.connections - messagingSockets) }, { labels: { kind: 'messaging' }, value: messagingSockets }] },
  { name: 'belfry_requests_in_progress', type: 'gauge', help: 'Requests that wait for a response', samples: ({ connections }) => value(connections.requests) },
  { name: 'belfry_requests_queued', type: 'gauge', help: 'Requests that wait for the core', samples: ({ connections }) => value(connections.queued) },
  { name: 'belfry_event_loop_delay_seconds', type: 'gauge', help: 'Delay of the event loop of a thread since the last request for metrics', samples: delays },
  { name: 'belfry_thread_cpu_seconds_total', type: 'counter', help: 'CPU time of a thread', samples: (figures) => ofThreads(figures, ({ cpuSeconds }) => cpuSeconds) },
  { name: 'belfry_thread_heap_used_bytes', type: 'gauge', help: 'Used heap of a thread', samples: (figures) => ofThreads(figures, ({ heapUsedBytes }) => heapUsedBytes) },
  { name: 'process_cpu_seconds_total', type: 'counter', help: 'CPU time of the process', samples: ({ process }) => value(process.cpuSeconds) },
  { name: 'process_resident_memory_bytes', type: 'gauge', help: 'Resident memory of the process', samples: ({ process }) => value(process.residentBytes) },
  { name: 'process_start_time_seconds', type: 'gauge', help: 'Start of the process, as a Unix time', samples: ({ process }) => value(process.startedAtSeconds) },
  { name: 'process_open_fds', type: 'gauge', help: 'Open file descriptors of the process', samples: ({ process }) => value(process.openFiles) },
  { name: 'belfry_build_info', type: 'gauge', help: 'Version of the server', samples: () => [{ labels: { version: VERSION }, value: 1 }] },
];
