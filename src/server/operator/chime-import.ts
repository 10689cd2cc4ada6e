/** The operator's import of users and rooms of Amazon Chime. Each change is recorded in the trail of the AWS account that owns the Chime account. */
import {
  type ChimeImport,
  type ChimeImportKind,
  type ChimeImportRow,
  type ImportWork,
  LINES_AT_ONCE,
} from '#services/chime-kit/chime-import.ts';
import type { AddEmit } from '#services/kit/events.ts';
import type { Store } from '#store/store.ts';
import { type AccountParts, operatorEvent } from './accounts.ts';

/** Dependencies of the import. */
export interface ChimeImportParts extends Pick<AccountParts, 'region' | 'now' | 'newId' | 'random'> {
  readonly store: Store;
  readonly addEmit: AddEmit;
  /** Loads the import of Amazon Chime, with the first command. */
  readonly loadChimeImport: () => Promise<ChimeImport>;
}

/** Lines of an import, as the command line sends them. */
export interface ChimeImportLines {
  readonly chimeAccountId: string;
  readonly kind: ChimeImportKind;
  readonly rows: readonly { readonly line: number; readonly fields: ChimeImportRow }[];
  /** Whether nothing is changed. */
  readonly isPreview: boolean;
}

/** Result of an import. */
export interface ChimeImportReport {
  readonly added: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly problems: readonly { readonly line: number; readonly problem: string }[];
}

/** Ends the transaction of a preview, so that it changes nothing. */
class PreviewEnded extends Error {
  readonly report: ChimeImportReport;
  constructor(report: ChimeImportReport) {
    super('the preview ended');
    this.report = report;
  }
}

/**
 * Imports lines in one transaction. A line with a problem is not imported, and the others are. A preview runs the same code, and its
 * transaction is aborted.
 *
 * @throws Error  the account does not exist, or the lines are invalid
 */
export async function importChime(parts: ChimeImportParts, lines: ChimeImportLines): Promise<ChimeImportReport> {
  const { kind, rows, isPreview } = lines;
  if (kind !== 'users' && kind !== 'rooms') throw new Error(`an import has 'users' or 'rooms'`);
  if (!Array.isArray(rows) || rows.length > LINES_AT_ONCE) throw new Error(`a command has at most ${LINES_AT_ONCE} lines`);
  const open = await parts.loadChimeImport();
  const { now, newId, random, addEmit } = parts;
  try {
    return await parts.store.transaction(async (tx) => {
      const { accountId, chimeAccountId, importLine } = await open(tx, String(lines.chimeAccountId));
      const work: ImportWork = { ...addEmit({ tx, now: now(), newId }), random };
      const count = { added: 0, unchanged: 0, skipped: 0 };
      const problems: { line: number; problem: string }[] = [];
      for (const { line, fields } of rows) {
        const outcome = await importLine(work, kind, textsOf(fields));
        if (typeof outcome === 'string') count[outcome] += 1;
        else problems.push({ line, problem: outcome.problem });
      }
      const report = { ...count, problems };
      if (isPreview) throw new PreviewEnded(report);
      const details = { chimeAccountId, kind, added: count.added };
      if (count.added > 0) await tx.trail.append(operatorEvent(parts, accountId, 'ImportToChimeAccount', details));
      return report;
    });
  } catch (error) {
    if (error instanceof PreviewEnded) return error.report;
    throw error;
  }
}

/** Returns the fields that are texts. Others are ignored. */
function textsOf(fields: ChimeImportRow): ChimeImportRow {
  return Object.fromEntries(Object.entries(fields).filter(([, field]) => typeof field === 'string'));
}
