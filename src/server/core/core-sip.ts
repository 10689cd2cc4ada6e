/** Composition of SIP: the private listeners of the SIP proxy, SIP logs, call records and metrics of calls. */
import type { Part } from '#core/part.ts';
import type { AddEmit, Work } from '#services/kit/events.ts';
import type { Losses } from '#services/kit/losses.ts';
import { COUNTS_EVERY_MS, type MetricCounts, metricCounts } from '#services/kit/metric-counts.ts';
import type { Store } from '#store/store.ts';
import type { CoreParts } from './core-parts.ts';
import { loadSipAnswers, type SipAnswers } from './services.ts';
import { repeated } from './sweeps.ts';
import { callRecordsPart } from './trail-delivery.ts';

interface SipContext {
  readonly store: Store;
  readonly addEmit: AddEmit;
  /** False after a loss of trail records. Then nothing changes the database, and every call is refused. */
  readonly isOpen: () => boolean;
  readonly losses: Losses;
}

/** Interval at which SIP messages are written to log groups. */
const LOGS_EVERY_MS = 1_000;

/** Creates the parts for SIP. There are none if the operator has not enabled the listener. */
export function sipParts(
  parts: CoreParts,
  whileOpen: (run: () => Promise<void>) => () => Promise<void>,
  context: SipContext,
): readonly Part[] {
  const { sip: outside, clock } = parts;
  if (outside === undefined) return [];
  const counts = metricCounts();
  let answers: SipAnswers | undefined;
  let listeners: { close(): Promise<void> } | undefined;
  const failed = (what: string) => (error: unknown) => parts.report(`could not store ${what}: ${(error as Error).message}`, 'warning');
  const storeCounts = () => flush(counts, parts, context).catch(failed('the metrics of calls'));
  const storeLogs = async () => await answers?.flushLogs();
  return [
    callRecordsPart(parts, whileOpen),
    withLast(repeated('metrics of calls', COUNTS_EVERY_MS, clock, storeCounts), storeCounts),
    withLast(repeated('SIP logs', LOGS_EVERY_MS, clock, storeLogs), storeLogs),
    {
      name: 'SIP decisions',
      async start() {
        answers = await composeAnswers(parts, context, counts, outside.resolve);
        listeners = await outside.listen(answers);
      },
      stop: () => listeners?.close(),
    },
  ];
}

async function composeAnswers(
  { settings, vault, clock, newId, random, report }: CoreParts,
  { store, addEmit, isOpen, losses }: SipContext,
  counts: MetricCounts,
  resolve: NonNullable<CoreParts['sip']>['resolve'],
): Promise<SipAnswers> {
  const { sipAnswers, writeLogs } = await loadSipAnswers();
  return sipAnswers(
    {
      ...{ store, vault, resolve, counts, newId, random, isOpen, writeLogs, losses },
      now: clock.wall,
      monotonic: clock.monotonic,
      workIn: (tx) => addEmit({ tx, now: clock.wall(), newId }),
      report: (line) => report(line, 'warning'),
    },
    {
      carriers: settings.sipCarriers,
      gateways: settings.sipGateways,
      hostSuffix: `.${settings.sipHostSuffix}`,
      hidesConnectors: settings.sipHidesConnectors,
      limits: { callsPerSecond: settings.voiceCallsPerSecond, connectorsInGroup: settings.voiceConnectorsPerGroup },
      routeTimeoutMs: settings.sipRouteTimeoutMs,
      privatePeers: settings.privateSipPeers,
    },
  );
}

/** Returns a part that also runs `last` after its timer has stopped. */
function withLast(timer: Part, last: () => Promise<unknown>): Part {
  return {
    ...timer,
    async stop() {
      await timer.stop?.();
      await last();
    },
  };
}

async function flush(counts: MetricCounts, { clock, newId }: CoreParts, { store, addEmit, isOpen }: SipContext): Promise<void> {
  // Drops the counts while nothing may change the database.
  const transaction = async (run: (work: Work) => Promise<void>) => {
    if (isOpen()) await store.transaction((tx) => run(addEmit({ tx, now: clock.wall(), newId })));
  };
  while ((await counts.storeSome(transaction)) === 'more');
}
