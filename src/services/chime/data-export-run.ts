/** State of exports in progress: claimed by a server, advanced with each file, and ended. */
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { DataExportFailure, DataExportPart } from '#model/generated/chime.ts';
import type { Tx } from '#store/store.ts';
import { CHIME_REGION } from '../chime-kit/chime-app-instance.ts';
import { recordServiceEvent } from '../chime-kit/service-events.ts';
import { type DataExportKey, type DataExportRecord, dataExports, type ExportCursor } from './tables/data-exports.ts';

/**
 * Time for which a server may take for one file, before another server continues the export. It is longer than the reading and a write to a slow target
 * take, because two servers that write one file would mix their positions.
 */
const CLAIM_MS = 60_000;
/** Time after which an export whose files cannot be written fails. Assumed. */
const LIFETIME_MS = DAY_MS;

export interface RunWork {
  readonly tx: Tx;
  readonly now: Instant;
  readonly newId: () => string;
}

/** Claims the first export after `after` that is in progress. Ends exports whose time is over. */
export async function claimExport(work: RunWork, after: DataExportKey | undefined): Promise<DataExportRecord | undefined> {
  const { tx, now } = work;
  for (let due = await tx.of(dataExports).due(now, after); due !== undefined; due = await tx.of(dataExports).due(now, due)) {
    if (due.createdAt + LIFETIME_MS > now) return await tx.of(dataExports).change({ ...due, claimedUntil: instant(now + CLAIM_MS) });
    await endExport(work, due, 'TimedOut');
  }
  return undefined;
}

/** Lets any server continue an export, after a file could not be written. */
export async function releaseExport({ tx }: Pick<RunWork, 'tx'>, dataExport: DataExportRecord): Promise<void> {
  await tx.of(dataExports).change({ ...dataExport, claimedUntil: instant(0) });
}

/**
 * Stores that the server begins to write a file. So if the server crashes and the lines are then deleted, the next attempt knows that the file can
 * exist, and empties it. Returns undefined if the export is not in progress any more, or if another server has continued it.
 */
export async function beginFile({ tx, now }: RunWork, dataExport: DataExportRecord): Promise<DataExportRecord | undefined> {
  if (dataExport.progress.isWriting) return dataExport;
  const progress = { ...dataExport.progress, isWriting: true as const };
  return await tx.of(dataExports).change({ ...dataExport, progress, claimedUntil: instant(now + CLAIM_MS) });
}

/** File of an export. A part without lines has no file, unless an earlier attempt has begun one: this file is empty. */
export interface WrittenFile {
  readonly part: DataExportPart;
  readonly files: 0 | 1;
  readonly lines: number;
  readonly bytes: number;
  /** Position after the file. */
  readonly next: ExportCursor | undefined;
}

/**
 * Stores that a file was written. After the last one, the export is completed. Returns undefined if it is not in progress any more, or if another
 * server has continued it.
 */
export async function advanceExport(
  work: RunWork,
  dataExport: DataExportRecord,
  { part, files, lines, bytes, next }: WrittenFile,
): Promise<DataExportRecord | undefined> {
  const before = dataExport.progress.parts[part] ?? { files: 0, lines: 0, bytes: 0 };
  const after = { files: before.files + files, lines: before.lines + lines, bytes: before.bytes + bytes };
  const progress = { parts: { ...dataExport.progress.parts, [part]: after }, ...(next !== undefined && { cursor: next }) };
  const written = { ...dataExport, progress };
  if (next === undefined) return await endExport(work, written, undefined);
  return await work.tx.of(dataExports).change({ ...written, claimedUntil: instant(work.now + CLAIM_MS) });
}

/**
 * Ends an export, and records it.
 *
 * Specific to Belfry: AWS documents no record of the end of an export.
 */
export async function endExport(work: RunWork, dataExport: DataExportRecord, failure: DataExportFailure | undefined): Promise<undefined> {
  const { tx, now } = work;
  const status = failure === undefined ? 'Completed' : 'Failed';
  const ended = { ...dataExport, status, endedAt: now, ...(failure !== undefined && { failure }) } as const;
  if ((await tx.of(dataExports).change(ended)) === undefined) return;
  const { accountId, chimeAccountId, exportId, bucket, userId } = dataExport;
  const facts = { chimeAccountId, dataExportId: exportId, dataExportStatus: status, bucketName: bucket };
  const details = omitUndefined({ ...facts, userId, failure });
  await recordServiceEvent(work, { accountId, region: CHIME_REGION }, 'EndDataExport', details);
}
