/** Writes the weekly usage reports of Amazon Chime to their buckets. */
import { arn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { DueReport } from '#services/chime/usage-report.ts';
import type { Store } from '#store/store.ts';
import { putChimeFile } from './chime-files.ts';
import type { LogTarget } from './targets/log-target.ts';

export interface UsageReportParts {
  readonly store: Pick<Store, 'transaction'>;
  readonly now: () => Instant;
  readonly newId: () => string;
  readonly target: LogTarget;
  readonly report: (line: string) => void;
}

/**
 * Writes all reports that are due. A report that cannot be written is tried again in the next run, and does not delay the others. Several servers can
 * write the same report, which replaces the file by one with the same content.
 */
export async function writeUsageReports(parts: UsageReportParts, isStopped: () => boolean): Promise<void> {
  const { store, now, newId, target, report } = parts;
  const { dueReport, reportCsv, storeWritten } = await import('#services/chime/usage-report.ts');
  let after = '';
  while (!isStopped()) {
    const due: DueReport | undefined = await store.transaction((tx) => dueReport(tx, now(), after));
    if (due === undefined) return;
    const { bucket, key, accountId, chimeAccountId } = due;
    after = chimeAccountId;
    // Without a bucket, the report is written as soon as there is one.
    if (bucket === undefined) continue;
    const body = Buffer.from(await reportCsv((work) => store.transaction(work), due));
    try {
      const sourceArn = arn('chime', '', accountId, `account/${chimeAccountId}`);
      await putChimeFile(target, { bucket, key, body, contentType: 'text/csv', accountId, sourceArn });
    } catch (error) {
      report(`could not write the usage report of account '${chimeAccountId}' to '${bucket}': ${(error as Error).message}`);
      continue;
    }
    await store.transaction((tx) => storeWritten({ tx, now: now(), newId }, due));
  }
}
