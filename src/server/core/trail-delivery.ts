/** Delivery of log files as a part of the server. */
import type { LeaseClock } from '#access/lease-parts.ts';
import type { Part } from '#core/part.ts';
import { type Delivery, trailDelivery } from '#delivery/delivery.ts';
import { boundTargets, NO_OWN_BUCKETS } from '#delivery/targets/bound-targets.ts';
import type { LogTarget } from '#delivery/targets/log-target.ts';
import { ownBucketTarget } from '#delivery/targets/own-buckets.ts';
import { putBody } from '../stored-body.ts';
import type { CoreParts } from './core-parts.ts';
import { repeated } from './sweeps.ts';

/** Longest interval between two checks whether a delivery is due. */
const CHECK_EVERY_MS = 15_000;

/** Interval between two checks whether usage reports are due, which are written once a week. */
const REPORTS_EVERY_MS = 60_000;

/** Interval between two checks whether exports of data are due. */
const EXPORTS_EVERY_MS = 5_000;
/** Interval between two deliveries of call records. Assumed: AWS documents none. */
const CALL_RECORDS_EVERY_MS = 5_000;

type Work = () => Promise<void>;

/** Creates the part that delivers the log files of trails. `guarded` returns the work with a check. `stop` does not wait for targets. */
export function deliveryPart(delivery: Delivery, guarded: (run: Work) => Work, intervalMs: number, clock: LeaseClock): Part {
  const part = repeated('delivery of log files', Math.min(CHECK_EVERY_MS, intervalMs), clock, guarded(delivery.run));
  return {
    ...part,
    async stop() {
      delivery.stop();
      await part.stop?.();
    },
  };
}

/** Creates the targets of files: buckets of this server, and those that the operator bound. */
function composeTargets({ store, vault, clock, openTarget, contents }: CoreParts): LogTarget {
  const bodies = contents && { put: (bytes: Uint8Array) => putBody(contents, bytes), remove: contents.remove };
  const own = bodies === undefined ? NO_OWN_BUCKETS : ownBucketTarget(store, bodies, clock.wall);
  return boundTargets({ store, vault, open: openTarget, own });
}

/** Creates the part that writes the usage reports of Amazon Chime. */
export function usageReportsPart(parts: CoreParts, guarded: (run: Work) => Work): Part {
  const { store, clock, newId } = parts;
  return reportsPart('usage reports', REPORTS_EVERY_MS, parts, guarded, async (files, isStopped) => {
    const { writeUsageReports } = await import('#delivery/usage-reports.ts');
    await writeUsageReports({ store, now: clock.wall, newId, ...files }, isStopped);
  });
}

/** Creates the part that writes the exports of the data of Amazon Chime. */
export function dataExportsPart(parts: CoreParts, guarded: (run: Work) => Work): Part {
  const { store, clock, newId } = parts;
  return reportsPart('data exports', EXPORTS_EVERY_MS, parts, guarded, async (files, isStopped) => {
    const { writeDataExports } = await import('#delivery/data-exports.ts');
    await writeDataExports({ store, now: clock.wall, newId, ...files }, isStopped);
  });
}

/** Creates the part that writes the call detail records of Voice Connectors. */
export function callRecordsPart(parts: CoreParts, guarded: (run: Work) => Work): Part {
  const { store, clock } = parts;
  return reportsPart('call records', CALL_RECORDS_EVERY_MS, parts, guarded, async (files, isStopped) => {
    const { writeCallRecords } = await import('#delivery/call-records.ts');
    await writeCallRecords({ store, now: clock.wall, ...files }, isStopped);
  });
}

/** Place and log of files that a part writes. */
interface Files {
  readonly target: LogTarget;
  readonly report: (line: string) => void;
}

function reportsPart(
  name: string,
  everyMs: number,
  parts: CoreParts,
  guarded: (run: Work) => Work,
  write: (files: Files, isStopped: () => boolean) => Promise<void>,
): Part {
  const report = (line: string) => parts.report(line, 'warning');
  const target = composeTargets(parts);
  let isStopped = false;
  const work = guarded(() => write({ target, report }, () => isStopped));
  const part = repeated(name, everyMs, parts.clock, () =>
    work().catch((error: unknown) => report(`${name} failed: ${(error as Error).message}`)),
  );
  return {
    ...part,
    async stop() {
      isStopped = true;
      await part.stop?.();
    },
  };
}

/** Creates the delivery of log files and digests of trails. */
export function composeDelivery(parts: CoreParts): Delivery {
  const { settings, store, vault, clock, newId, random, report } = parts;
  const target = composeTargets(parts);
  return trailDelivery({
    store,
    clock,
    vault,
    newId,
    random,
    target,
    intervalMs: settings.trailDeliverySeconds * 1000,
    report: (line) => report(line, 'warning'),
  });
}
