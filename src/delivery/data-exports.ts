/** Writes the exports of the data of accounts of Amazon Chime to their buckets. */
import { arn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { ExportPage } from '#services/chime/data-export-lines.ts';
import type { DataExportRecord, ExportCursor } from '#services/chime/tables/data-exports.ts';
import type { Store, Tx } from '#store/store.ts';
import { putChimeFile } from './chime-files.ts';
import { type LogTarget, TargetError } from './targets/log-target.ts';

/** Size from which a file is written. One page more is in memory at most, which is below 2 MiB. */
const FILE_BYTES = 4_194_304;
/** Time after which a file is written although it is small. Together with the time of a write, it is shorter than the claim of an export. */
const READ_MS = 5_000;
/** Time after which the exports of other accounts continue. */
const TURN_MS = 30_000;

export interface DataExportParts {
  readonly store: Pick<Store, 'transaction'>;
  readonly now: () => Instant;
  readonly newId: () => string;
  readonly target: LogTarget;
  readonly report: (line: string) => void;
  /** Default: `FILE_BYTES`. */
  readonly fileBytes?: number;
}

/**
 * Continues all exports in progress, each for `TURN_MS` at most. After each file, the position in the data is stored. So after a crash the server writes the file at this position
 * again, with the same key, and no line is in two files. If nothing is left to write there, it empties the file. A file has the data at the time when it is written.
 */
export async function writeDataExports(parts: DataExportParts, isStopped: () => boolean): Promise<void> {
  const { store, now, newId } = parts;
  const run = await import('#services/chime/data-export-run.ts');
  const inTurn = <T>(work: (call: { readonly tx: Tx; readonly now: Instant; readonly newId: () => string }) => Promise<T>) =>
    store.transaction((tx) => work({ tx, now: now(), newId }));
  let after: DataExportRecord | undefined;
  while (!isStopped()) {
    const claimed: DataExportRecord | undefined = await inTurn((work) => run.claimExport(work, after));
    if (claimed === undefined) return;
    after = claimed;
    const held: Held = { dataExport: claimed };
    const end = now() + TURN_MS;
    try {
      while (held.dataExport !== undefined && !isStopped() && now() < end) await writeFile(parts, run, inTurn, held, isStopped);
    } catch (error) {
      const reason = `could not write the export '${claimed.exportId}' to '${claimed.bucket}': ${(error as Error).message}`;
      parts.report(reason);
      const failed = held.dataExport ?? claimed;
      const code = error instanceof TargetError ? error.code : undefined;
      if (code === 'AccessDenied' || code === 'NoSuchBucket') await inTurn((work) => run.endExport(work, failed, code));
      else await inTurn((work) => run.releaseExport(work, failed));
      continue;
    }
    const left = held.dataExport;
    if (left !== undefined) await inTurn((work) => run.releaseExport(work, left));
  }
}

/** Export as it was stored last. Undefined if it has ended, or if another server has continued it. */
interface Held {
  dataExport: DataExportRecord | undefined;
}

type Run = typeof import('#services/chime/data-export-run.ts');
type InTurn = <T>(work: (call: { readonly tx: Tx; readonly now: Instant; readonly newId: () => string }) => Promise<T>) => Promise<T>;

/**
 * Writes the next file of an export. A part with much to read and few lines, such as the
 * messages of one user, is read in several steps. A stop drops the lines of the step.
 */
async function writeFile(
  { target, now, fileBytes = FILE_BYTES }: DataExportParts,
  run: Run,
  inTurn: InTurn,
  held: Held,
  isStopped: () => boolean,
): Promise<void> {
  const dataExport = held.dataExport as DataExportRecord;
  const [{ exportPage }, { exportPrefix }, { exportedMessages }, { exportedConversations }] = await Promise.all([
    import('#services/chime/data-export-lines.ts'),
    import('#services/chime/data-exports.ts'),
    import('#services/chime-sdk-messaging/exported-messages.ts'),
    import('#services/chime-sdk-messaging/exported-conversations.ts'),
  ]);
  const { accountId, chimeAccountId, bucket, progress } = dataExport;
  const { cursor } = progress;
  if (cursor === undefined) throw new Error('an export in progress has no position');
  const { part } = cursor;
  const lines: string[] = [];
  let bytes = 0;
  let next: ExportCursor | undefined = cursor;
  const readEnd = now() + READ_MS;
  do {
    const at: ExportCursor = next;
    const page: ExportPage | undefined = await inTurn((work) =>
      exportPage(work, dataExport, at, { exportedMessages, exportedConversations }),
    );
    if (page === undefined) {
      held.dataExport = await inTurn((work) => run.endExport(work, dataExport, 'AccountDeleted'));
      return;
    }
    for (const line of page.lines) {
      const text = `${JSON.stringify(line)}\n`;
      bytes += Buffer.byteLength(text);
      lines.push(text);
    }
    next = page.next;
    if (isStopped()) return;
  } while (next?.part === part && bytes < fileBytes && now() < readEnd);
  const hasFile = lines.length > 0 || progress.isWriting === true;
  if (hasFile) {
    const begun = await inTurn((work) => run.beginFile(work, dataExport));
    held.dataExport = begun;
    if (begun === undefined) return;
    const number = (progress.parts[part]?.files ?? 0) + 1;
    await putChimeFile(target, {
      bucket,
      key: `${exportPrefix(dataExport)}${part}-${String(number).padStart(5, '0')}.jsonl`,
      body: Buffer.from(lines.join('')),
      contentType: 'application/x-ndjson',
      accountId,
      sourceArn: arn('chime', '', accountId, `account/${chimeAccountId}`),
    });
  }
  const written = { part, files: hasFile ? 1 : 0, lines: lines.length, bytes, next } as const;
  held.dataExport = await inTurn((work) => run.advanceExport(work, held.dataExport as DataExportRecord, written));
}
