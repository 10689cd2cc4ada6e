/** Files of users and rooms that the operator imports into a Chime account. */
import type { AccountId } from '#core/arn.ts';
import type { Tx } from '#store/store.ts';
import type { Work } from '../kit/events.ts';
import type { Call } from '../kit/operation.ts';

/** Columns of imported files. A file with the column `room` has rooms and their members, and other files have users. */
export const USER_COLUMNS = ['email', 'display_name', 'license', 'user_type', 'user_id', 'status'] as const;
export const ROOM_COLUMNS = ['room', 'email', 'role'] as const;

/** Fields of one line by column. Absent fields are empty. */
export type ChimeImportRow = Readonly<Partial<Record<(typeof USER_COLUMNS)[number] | (typeof ROOM_COLUMNS)[number], string>>>;

/** Kind of an imported file. */
export type ChimeImportKind = 'users' | 'rooms';

/** Most lines of one command to a server, which is one transaction. A longer file takes several commands. */
export const LINES_AT_ONCE = 50;

/** Effect of an import on one line. `problem` says why the line is not imported. `skipped`: the user is suspended. */
export type ChimeImported = 'added' | 'unchanged' | 'skipped' | { readonly problem: string };

/** Transaction of an import. */
export type ImportWork = Work & Pick<Call, 'random'>;

/** Chime account of an import. */
export interface ChimeImportTarget {
  /** AWS account that owns the Chime account. */
  readonly accountId: AccountId;
  readonly chimeAccountId: string;
  /** Imports one line. */
  readonly importLine: (work: ImportWork, kind: ChimeImportKind, row: ChimeImportRow) => Promise<ChimeImported>;
}

/** Opens the target of an import. @throws Error  the account does not exist or is disabled */
export type ChimeImport = (tx: Tx, chimeAccountId: string) => Promise<ChimeImportTarget>;
