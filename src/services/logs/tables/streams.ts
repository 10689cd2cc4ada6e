import type { Sql } from '#store/sql.ts';
import { instant, int, optional, type Row, table, text } from '#store/table.ts';
import { afterPrefix } from './groups.ts';

/** Log streams of groups. `streamId` is new for each stream. */
export const LOG_STREAM = table('log_stream', {
  columns: {
    groupId: text,
    name: text,
    streamId: text,
    createdAt: instant,
    firstEventAt: optional(instant),
    /** 0 if the stream has no event. */
    lastEventAt: instant,
    lastIngestionAt: optional(instant),
    storedBytes: int,
  },
  key: ['groupId', 'name'],
  indexes: [['groupId', 'lastEventAt', 'name']],
});
export type LogStreamRecord = Row<typeof LOG_STREAM>;

/** Page of streams. `from` is the last stream of the previous page. */
export interface StreamPage {
  readonly prefix: string;
  readonly order: 'name' | 'last event';
  readonly descending: boolean;
  readonly from: Pick<LogStreamRecord, 'name' | 'lastEventAt'> | undefined;
  readonly limit: number;
}

export interface LogStreams {
  add(stream: LogStreamRecord): Promise<'added' | 'exists'>;
  get(groupId: string, name: string): Promise<LogStreamRecord | undefined>;
  remove(groupId: string, name: string): Promise<void>;
  setEvents(
    stream: Pick<LogStreamRecord, 'groupId' | 'name' | 'firstEventAt' | 'lastEventAt' | 'lastIngestionAt' | 'storedBytes'>,
  ): Promise<void>;
  /** Returns streams of a group. In the order of last events, `prefix` has no effect. */
  list(groupId: string, page: StreamPage): Promise<readonly LogStreamRecord[]>;
  /** Deletes at most `limit` streams of a group. Returns the number of deleted streams. */
  removeOf(groupId: string, limit: number): Promise<number>;
}

const SELECT = `SELECT ${LOG_STREAM.names} FROM log_stream WHERE group_id = $1`;
const BY_NAME = `${SELECT} AND name > $2 AND name >= $3 AND name < $4 ORDER BY name LIMIT $5`;
const BY_NAME_DOWN = `${SELECT} AND name < $2 AND name >= $3 AND name < $4 ORDER BY name DESC LIMIT $5`;
const BY_LAST = `${SELECT} AND (last_event_at_ms, name) > ($2, $3) ORDER BY last_event_at_ms, name LIMIT $4`;
const BY_LAST_DOWN = `${SELECT} AND (last_event_at_ms, name) < ($2, $3) ORDER BY last_event_at_ms DESC, name DESC LIMIT $4`;
const REMOVE = 'DELETE FROM log_stream WHERE group_id = $1 AND name IN (SELECT name FROM log_stream WHERE group_id = $1 LIMIT $2)';
const setEvents = LOG_STREAM.update('firstEventAt', 'lastEventAt', 'lastIngestionAt', 'storedBytes');

export function logStreams(sql: Sql): LogStreams {
  return {
    add: (stream) => LOG_STREAM.add(sql, stream),
    get: (groupId, name) => LOG_STREAM.get(sql, groupId, name),
    remove: async (groupId, name) => void (await LOG_STREAM.remove(sql, groupId, name)),
    setEvents: async (stream) => void (await setEvents(sql, stream)),
    list(groupId, { prefix, order, descending, from, limit }) {
      const end = afterPrefix(prefix);
      if (order === 'name') {
        const start = from?.name ?? (descending ? end : '');
        return LOG_STREAM.rows(sql, descending ? BY_NAME_DOWN : BY_NAME, [groupId, start, prefix, end, limit]);
      }
      const start = from ?? (descending ? { lastEventAt: Number.MAX_SAFE_INTEGER, name: '' } : { lastEventAt: -1, name: '' });
      return LOG_STREAM.rows(sql, descending ? BY_LAST_DOWN : BY_LAST, [groupId, start.lastEventAt, start.name, limit]);
    },
    removeOf: (groupId, limit) => sql.run(REMOVE, [groupId, limit]),
  };
}
