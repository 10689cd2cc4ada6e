/** Access previews. */
import type { Instant } from '#core/instant.ts';
import type {
  AccessPreviewStatus,
  AccessPreviewStatusReasonCode,
  Configuration,
  FindingChangeType,
  FindingStatus,
} from '#model/generated/accessanalyzer.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, instant, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { ResourcePolicy } from '../../kit/analyzed-resources.ts';

export const ACCESS_PREVIEW = table('access_preview', {
  columns: {
    analyzerId: text,
    id: text,
    status: textOf<AccessPreviewStatus>(),
    reason: optional(textOf<AccessPreviewStatusReasonCode>()),
    createdAt: instant,
  },
  key: ['analyzerId', 'id'],
  indexes: [['analyzerId', 'createdAt', 'id'], ['createdAt']],
});
export type PreviewRecord = Row<typeof ACCESS_PREVIEW>;

/** Finding of a preview, without its access, which follows from the proposal or is that of the existing finding. */
export interface PreviewedFinding {
  readonly id: string;
  /** Key of the access: see `accessesOf`. */
  readonly accessKey: string;
  readonly changeType: FindingChangeType;
  readonly status: FindingStatus;
  readonly existing?: { readonly id: string; readonly status: FindingStatus };
}

/** Proposed policy of a resource, and its findings compared with those at the time of the preview. */
export interface Proposal extends ResourcePolicy {
  readonly findings: readonly PreviewedFinding[];
}

export const ACCESS_PREVIEW_CONTENT = table('access_preview_content', {
  columns: {
    analyzerId: text,
    id: text,
    configurations: json<Readonly<Record<string, Configuration>>>(),
    /** Absent if the preview failed. */
    proposal: optional(json<Proposal>()),
  },
  key: ['analyzerId', 'id'],
});
export type PreviewContent = Row<typeof ACCESS_PREVIEW_CONTENT>;

export interface Previews {
  /** Adds a preview with its content. */
  add(preview: PreviewRecord & PreviewContent): Promise<void>;
  /** Returns a preview that was created at `since` or later. */
  get(analyzerId: string, id: string, since: Instant): Promise<PreviewRecord | undefined>;
  content(analyzerId: string, id: string): Promise<PreviewContent | undefined>;
  /** Returns the number of previews of an analyzer that were created at `since` or later. */
  count(analyzerId: string, since: Instant): Promise<number>;
  /** Returns previews that were created at `since` or later, the newest first, before the place `before`. */
  list(
    analyzerId: string,
    since: Instant,
    before: readonly [createdAt: number, id: string],
    limit: number,
  ): Promise<readonly PreviewRecord[]>;
  /** Deletes previews of any analyzer that were created before a time. Returns 'more' if more than `limit` remain. */
  removeBefore(before: Instant, limit: number): Promise<'more' | 'done'>;
}

const SELECT = `SELECT ${ACCESS_PREVIEW.names} FROM access_preview`;
const COUNT = 'SELECT COUNT(*) AS count FROM access_preview WHERE analyzer_id = $1 AND created_at_ms >= $2';
const LIST = `${SELECT} WHERE analyzer_id = $1 AND created_at_ms >= $2 AND (created_at_ms, id) < ($3, $4)
  ORDER BY created_at_ms DESC, id DESC LIMIT $5`;
const OLD = `${SELECT} WHERE created_at_ms < $1 ORDER BY created_at_ms LIMIT $2`;

/** Creates the repository of one transaction. */
export function previews(sql: Sql): Previews {
  return {
    async add({ configurations, proposal, ...preview }) {
      const { analyzerId, id } = preview;
      await ACCESS_PREVIEW.insert(sql, preview);
      await ACCESS_PREVIEW_CONTENT.insert(sql, { analyzerId, id, configurations, ...(proposal !== undefined && { proposal }) });
    },
    async get(analyzerId, id, since) {
      const found = await ACCESS_PREVIEW.get(sql, analyzerId, id);
      return found === undefined || found.createdAt < since ? undefined : found;
    },
    content: (analyzerId, id) => ACCESS_PREVIEW_CONTENT.get(sql, analyzerId, id),
    count: (analyzerId, since) => countOf(sql, COUNT, [analyzerId, since]),
    list: (analyzerId, since, [createdAt, id], limit) => ACCESS_PREVIEW.rows(sql, LIST, [analyzerId, since, createdAt, id, limit]),
    async removeBefore(before, limit) {
      const old = await ACCESS_PREVIEW.rows(sql, OLD, [before, limit]);
      for (const { analyzerId, id } of old) {
        await ACCESS_PREVIEW.remove(sql, analyzerId, id);
        await ACCESS_PREVIEW_CONTENT.remove(sql, analyzerId, id);
      }
      return old.length === limit ? 'more' : 'done';
    },
  };
}
