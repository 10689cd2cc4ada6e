import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { DataExportFailure, DataExportPart, DataExportStatus } from '#model/generated/chime.ts';
import type { Sql } from '#store/sql.ts';
import { instant, int, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { RoomPlace } from './rooms.ts';
import type { UserPlace } from './users.ts';

/** Position of a message in a channel. */
export interface MessagePlace {
  readonly createdAt: Instant;
  readonly messageId: string;
}

/** Position in the conversations of an account or of one user. */
export interface ConversationPlace {
  /** Position of the last conversation that was read or skipped. Absent: before the first one. */
  readonly last?: string;
  /** Position in the sub-channel, in the conversation `last`. Absent: the next conversation follows. A channel without sub-channels has one, `''`. */
  readonly inside?: { readonly subChannelId: string; readonly after?: MessagePlace | string };
}

/**
 * Position up to which the files are written. Of `memberships` and `messages`, `room` is the last room whose lines were read. Its lines after
 * `after` follow, or the next room if `after` is absent.
 */
export type ExportCursor =
  | { readonly part: 'account' }
  | { readonly part: 'users'; readonly after?: UserPlace }
  | { readonly part: 'groups' | 'bots' }
  | { readonly part: 'rooms'; readonly after?: RoomPlace }
  | { readonly part: 'memberships'; readonly room?: RoomPlace; readonly after?: string }
  | { readonly part: 'messages'; readonly room?: RoomPlace; readonly after?: MessagePlace }
  | { readonly part: ConversationPart; readonly place?: ConversationPlace };

/** Part of an export that has data of conversations. */
export type ConversationPart = 'conversations' | 'conversation-memberships' | 'conversation-messages';

/** Written files of one part. */
export interface ExportedPart {
  readonly files: number;
  readonly lines: number;
  readonly bytes: number;
}

export interface ExportProgress {
  /** Whether a server has begun to write the file at the position. After a crash, the file can exist. */
  readonly isWriting?: true;
  /** Absent: all files are written. */
  readonly cursor?: ExportCursor;
  readonly parts: Readonly<Partial<Record<DataExportPart, ExportedPart>>>;
}

/** Exports of the data of Chime accounts. */
export const CHIME_DATA_EXPORT = table('chime_data_export', {
  columns: {
    chimeAccountId: text,
    /** UUID in lower case. */
    exportId: text,
    /** AWS account that owns the Chime account and the bucket. */
    accountId: textOf<AccountId>(),
    /** Absent: the data of all users. */
    userId: optional(text),
    bucket: text,
    status: textOf<DataExportStatus>(),
    createdAt: instant,
    /** Absent while the status is `InProgress`. */
    endedAt: optional(instant),
    failure: optional(textOf<DataExportFailure>()),
    /** Number of changes. A server that wrote a file stores it only if no other server changed the export in the meantime. */
    revision: int,
    /** Time until which other servers do not continue the export. */
    claimedUntil: instant,
    progress: json<ExportProgress>(),
  },
  key: ['chimeAccountId', 'exportId'],
  indexes: [['chimeAccountId', 'createdAt', 'exportId'], { columns: ['createdAt', 'exportId'], where: 'ended_at_ms IS NULL' }],
});
export type DataExportRecord = Row<typeof CHIME_DATA_EXPORT>;

/** Position in the list of exports. */
export type DataExportKey = Pick<DataExportRecord, 'createdAt' | 'exportId'>;

export interface ExportCounts {
  readonly inProgress: number;
  /** Exports of all users, and of single users. */
  readonly ofAccount: number;
  readonly ofUsers: number;
}

/** Exports of Chime accounts. */
export interface DataExports {
  add(dataExport: DataExportRecord): Promise<void>;
  /** Returns the first export in progress after `after` that no server has claimed, oldest first. */
  due(now: Instant, after: DataExportKey | undefined): Promise<DataExportRecord | undefined>;
  /**
   * Replaces the status, the end, the failure, the claim and the progress. Returns the export with its new revision, or undefined if its
   * revision is not that of `dataExport`, or if it is not in progress.
   */
  change(dataExport: DataExportRecord): Promise<DataExportRecord | undefined>;
  /** Counts the exports of an account that began after `after` and have not failed. */
  count(chimeAccountId: string, after: Instant): Promise<ExportCounts>;
  /** Lists the exports of an account, newest first, starting after the position `after`. */
  list(chimeAccountId: string, limit: number, after?: DataExportKey): Promise<readonly DataExportRecord[]>;
  /** Deletes the exports of an account that are older than `before`. */
  removeBefore(chimeAccountId: string, before: Instant): Promise<void>;
}

const { names } = CHIME_DATA_EXPORT;
const DUE = `
  SELECT ${names} FROM chime_data_export
  WHERE ended_at_ms IS NULL AND claimed_until_ms <= $1 AND (created_at_ms, export_id) > ($2, $3)
  ORDER BY created_at_ms, export_id LIMIT 1`;
const LIST = `
  SELECT ${names} FROM chime_data_export WHERE chime_account_id = $1 AND (created_at_ms, export_id) < ($2, $3)
  ORDER BY created_at_ms DESC, export_id DESC LIMIT $4`;
const COUNT = `
  SELECT COUNT(*) AS total, COUNT(ended_at_ms) AS ended, COUNT(user_id) AS of_users FROM chime_data_export
  WHERE chime_account_id = $1 AND created_at_ms > $2 AND failure IS NULL`;
const CHANGE = `
  UPDATE chime_data_export SET status = $4, ended_at_ms = $5, failure = $6, claimed_until_ms = $7, progress = $8, revision = revision + 1
  WHERE chime_account_id = $1 AND export_id = $2 AND revision = $3 AND ended_at_ms IS NULL`;
const REMOVE_BEFORE = 'DELETE FROM chime_data_export WHERE chime_account_id = $1 AND created_at_ms < $2';

/** Creates the repository of one transaction. */
export function dataExports(sql: Sql): DataExports {
  return {
    add: (dataExport) => CHIME_DATA_EXPORT.insert(sql, dataExport),
    due: (now, after) => CHIME_DATA_EXPORT.row(sql, DUE, [now, after?.createdAt ?? -1, after?.exportId ?? '']),
    async change(dataExport) {
      const { chimeAccountId, exportId, revision, status, endedAt, failure, claimedUntil, progress } = dataExport;
      const values = [status, endedAt ?? null, failure ?? null, claimedUntil, JSON.stringify(progress)];
      const changed = await sql.run(CHANGE, [chimeAccountId, exportId, revision, ...values]);
      return changed === 0 ? undefined : { ...dataExport, revision: revision + 1 };
    },
    async count(chimeAccountId, after) {
      const row = await sql.row<Readonly<Record<'total' | 'ended' | 'of_users', number>>>(COUNT, [chimeAccountId, after]);
      const [total, ended, ofUsers] = [row?.total, row?.ended, row?.of_users].map((each) => Number(each ?? 0)) as [number, number, number];
      return { inProgress: total - ended, ofAccount: total - ofUsers, ofUsers };
    },
    list: (chimeAccountId, limit, after) =>
      CHIME_DATA_EXPORT.rows(sql, LIST, [chimeAccountId, after?.createdAt ?? Number.MAX_SAFE_INTEGER, after?.exportId ?? '', limit]),
    async removeBefore(chimeAccountId, before) {
      await sql.run(REMOVE_BEFORE, [chimeAccountId, before]);
    },
  };
}
