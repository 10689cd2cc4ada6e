/** Alarms, the alarms on which composite alarms depend, and the history of alarms. */
import type { AccountId } from '#core/arn.ts';
import { type Instant, instant as toInstant } from '#core/instant.ts';
import type { HistoryItemType, PutCompositeAlarmInput, PutMetricAlarmInput, StateValue } from '#model/generated/cloudwatch.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, flag, instant, json, numbered, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { TagRecord } from '#store/tag-record.ts';

export type StoredAlarmType = 'MetricAlarm' | 'CompositeAlarm';

/** Configuration of a metric alarm, with the members of the model. */
export type MetricAlarmConfiguration = Omit<PutMetricAlarmInput, 'AlarmName' | 'ActionsEnabled' | 'Tags'>;
/** Configuration of a composite alarm, with the members of the model. */
export type CompositeAlarmConfiguration = Omit<PutCompositeAlarmInput, 'AlarmName' | 'ActionsEnabled' | 'Tags'>;

export const CLOUDWATCH_ALARM = table('cloudwatch_alarm', {
  columns: {
    accountId: textOf<AccountId>(),
    region: text,
    name: text,
    type: textOf<StoredAlarmType>(),
    /** See `metricConfiguration` and `compositeConfiguration`. */
    configuration: json<MetricAlarmConfiguration | CompositeAlarmConfiguration>(),
    actionsEnabled: flag,
    tags: json<readonly TagRecord[]>(),
    state: textOf<StateValue>(),
    stateReason: text,
    stateReasonData: optional(text),
    configuredAt: instant,
    /** Time of the last change of the state or of its reason. */
    stateUpdatedAt: instant,
    /** Time of the last change of the state. */
    stateChangedAt: instant,
    /** Namespace and name of the metric: see `metricKey`. Absent for a composite alarm, and for an alarm on an expression. */
    metric: optional(text),
    /** Time of the next evaluation. Absent for a composite alarm that waits for a change of a child. */
    dueAt: optional(instant),
  },
  key: ['accountId', 'region', 'name'],
  indexes: [
    { columns: ['dueAt'], where: 'due_at_ms IS NOT NULL' },
    { columns: ['accountId', 'dueAt'], where: 'due_at_ms IS NOT NULL' },
    { columns: ['accountId', 'region', 'metric', 'name'], where: 'metric IS NOT NULL' },
  ],
});
export type AlarmRecord = Row<typeof CLOUDWATCH_ALARM>;
export type AlarmKey = Pick<AlarmRecord, 'accountId' | 'region' | 'name'>;

/** Children of composite alarms: the alarms that their rules name. */
export const CLOUDWATCH_ALARM_CHILD = table('cloudwatch_alarm_child', {
  columns: { accountId: textOf<AccountId>(), region: text, parent: text, child: text },
  key: ['accountId', 'region', 'parent', 'child'],
  indexes: [['accountId', 'region', 'child', 'parent']],
});

/** History of alarms. It outlives its alarm. */
export const CLOUDWATCH_ALARM_HISTORY = table('cloudwatch_alarm_history', {
  columns: {
    /** Number that the database assigns at the insert. It orders the entries of one time. */
    number: numbered(),
    accountId: textOf<AccountId>(),
    region: text,
    name: text,
    type: textOf<StoredAlarmType>(),
    at: instant,
    itemType: textOf<HistoryItemType>(),
    summary: text,
    data: text,
  },
  key: ['number'],
  indexes: [['accountId', 'region', 'at', 'number'], ['accountId', 'region', 'name', 'at', 'number'], ['at']],
  clustered: false,
});
export type AlarmHistoryRecord = Row<typeof CLOUDWATCH_ALARM_HISTORY>;

/** Account and region of alarms. */
export type AlarmPlace = Pick<AlarmRecord, 'accountId' | 'region'>;

/** Selects entries of the history. */
export interface HistoryRange extends AlarmPlace {
  /** Default: all alarms. */
  readonly name?: string | undefined;
  readonly from: Instant;
  /** Exclusive. */
  readonly to: Instant;
  readonly newestFirst: boolean;
  /** Entry after which the result begins. */
  readonly after?: { readonly at: number; readonly number: number } | undefined;
}

export interface Alarms {
  get(key: AlarmKey): Promise<AlarmRecord | undefined>;
  /** Adds an alarm, or replaces the one with this name. */
  put(alarm: AlarmRecord): Promise<void>;
  setTags(alarm: AlarmKey & Pick<AlarmRecord, 'tags'>): Promise<'changed' | 'absent'>;
  /** Deletes an alarm and the rows about its children. Its history remains. */
  remove(alarm: AlarmKey): Promise<void>;
  /** Returns alarms in the order of names, after the name `after`. */
  list(place: AlarmPlace, after: string, limit: number): Promise<readonly AlarmRecord[]>;
  /** Returns the alarms of a metric, in the order of names, after the name `after`. */
  ofMetric(place: AlarmPlace, metric: string, after: string, limit: number): Promise<readonly AlarmRecord[]>;
  /** Returns the number of alarms of an account in a region, at most `most`. */
  count(place: AlarmPlace, most: number): Promise<number>;
  /** Reports whether an evaluation is due in any account. */
  isDue(now: Instant): Promise<boolean>;
  /** Returns the first account after `after`, in the order of IDs, with an alarm whose evaluation is due. */
  nextDueAccount(after: string, now: Instant): Promise<AccountId | undefined>;
  /** Returns alarms of an account whose evaluation is due, the longest waiting first. */
  due(accountId: AccountId, now: Instant, limit: number): Promise<readonly AlarmRecord[]>;
  /** Sets the time of the next evaluation. */
  schedule(alarm: AlarmRecord): Promise<'changed' | 'absent'>;

  setChildren(parent: AlarmKey, children: readonly string[]): Promise<void>;
  /** Returns the children of a composite alarm, in the order of names. */
  children(parent: AlarmKey): Promise<readonly AlarmRecord[]>;
  /** Returns composite alarms whose rule names an alarm, in the order of names, after the name `after`. */
  parents(child: AlarmKey, after: string, limit: number): Promise<readonly AlarmRecord[]>;
  /** Makes the composite alarms whose rule names an alarm due. */
  wakeParents(child: AlarmKey, now: Instant): Promise<void>;

  addHistory(entry: Omit<AlarmHistoryRecord, 'number'>): Promise<void>;
  history(range: HistoryRange, limit: number): Promise<readonly AlarmHistoryRecord[]>;
  /** Deletes the oldest entries before `before`. Returns their number. */
  forgetHistory(before: Instant, limit: number): Promise<number>;
}

/** Returns the value of the column `metric`. */
export function metricKey(namespace: string, metricName: string): string {
  return JSON.stringify([namespace, metricName]);
}

/** Maximum number of children. Source: cloudwatch 2010-08-01, AlarmRule. */
const CHILDREN_MAX = 100;

const PLACE = 'account_id = $1 AND region = $2';
const SELECT = `SELECT ${CLOUDWATCH_ALARM.names} FROM cloudwatch_alarm`;
// The inner query reads only columns of an index. Otherwise SQLite would use the primary key and read alarms of other metrics.
const OF_METRIC = `
  ${SELECT} WHERE ${PLACE} AND name IN (
    SELECT name FROM cloudwatch_alarm WHERE ${PLACE} AND metric = $3 AND name > $4 ORDER BY name LIMIT $5)
  ORDER BY name`;
const COUNT = `SELECT COUNT(*) AS count FROM (SELECT 1 FROM cloudwatch_alarm WHERE ${PLACE} LIMIT $3) AS counted`;
const IS_DUE = 'SELECT 1 AS found FROM cloudwatch_alarm WHERE due_at_ms <= $1 LIMIT 1';
const NEXT_DUE = 'SELECT account_id FROM cloudwatch_alarm WHERE account_id > $1 AND due_at_ms <= $2 ORDER BY account_id LIMIT 1';
const DUE = `${SELECT} WHERE account_id = $1 AND due_at_ms <= $2 ORDER BY due_at_ms LIMIT $3`;
const CHILDREN = `${SELECT} WHERE ${PLACE} AND name IN (
    SELECT child FROM cloudwatch_alarm_child WHERE ${PLACE} AND parent = $3) ORDER BY name LIMIT $4`;
const PARENTS = `${SELECT} WHERE ${PLACE} AND name IN (
    SELECT parent FROM cloudwatch_alarm_child WHERE ${PLACE} AND child = $3 AND parent > $4 ORDER BY parent LIMIT $5) ORDER BY name`;
const WAKE = `UPDATE cloudwatch_alarm SET due_at_ms = $4 WHERE ${PLACE} AND name IN (
    SELECT parent FROM cloudwatch_alarm_child WHERE ${PLACE} AND child = $3)`;
const DROP_CHILDREN = `DELETE FROM cloudwatch_alarm_child WHERE ${PLACE} AND parent = $3`;
const FORGET = `DELETE FROM cloudwatch_alarm_history WHERE number IN (
    SELECT number FROM cloudwatch_alarm_history WHERE at_ms < $1 ORDER BY at_ms LIMIT $2)`;

const HISTORY = `SELECT ${CLOUDWATCH_ALARM_HISTORY.names} FROM cloudwatch_alarm_history WHERE ${PLACE} AND at_ms >= $3 AND at_ms < $4`;
const NEWER = 'AND (at_ms, number) > ($5, $6)';
const OLDER = 'AND (at_ms, number) < ($5, $6)';
const HISTORY_ASCENDING = `${HISTORY} ${NEWER} ORDER BY at_ms, number LIMIT $7`;
const HISTORY_DESCENDING = `${HISTORY} ${OLDER} ORDER BY at_ms DESC, number DESC LIMIT $7`;
const NAMED_ASCENDING = `${HISTORY} ${NEWER} AND name = $7 ORDER BY at_ms, number LIMIT $8`;
const NAMED_DESCENDING = `${HISTORY} ${OLDER} AND name = $7 ORDER BY at_ms DESC, number DESC LIMIT $8`;

const setTags = CLOUDWATCH_ALARM.update('tags');
const schedule = CLOUDWATCH_ALARM.update('dueAt');

/** Creates the repository of one transaction. */
export function alarms(sql: Sql): Alarms {
  return {
    // PostgreSQL cannot compare strings with NUL, and no name has it.
    get: async ({ accountId, region, name }) => (name.includes('\0') ? undefined : CLOUDWATCH_ALARM.get(sql, accountId, region, name)),
    put: (alarm) => CLOUDWATCH_ALARM.put(sql, alarm),
    setTags: (alarm) => setTags(sql, alarm),
    async remove({ accountId, region, name }) {
      await sql.run(DROP_CHILDREN, [accountId, region, name]);
      await CLOUDWATCH_ALARM.remove(sql, accountId, region, name);
    },
    list: ({ accountId, region }, after, limit) => CLOUDWATCH_ALARM.page(sql, [accountId, region], [after], limit),
    ofMetric: ({ accountId, region }, metric, after, limit) =>
      CLOUDWATCH_ALARM.rows(sql, OF_METRIC, [accountId, region, metric, after, limit]),
    count: ({ accountId, region }, most) => countOf(sql, COUNT, [accountId, region, most]),
    isDue: async (now) => (await sql.row(IS_DUE, [now])) !== undefined,
    nextDueAccount: async (after, now) => (await sql.row<{ readonly account_id: AccountId }>(NEXT_DUE, [after, now]))?.account_id,
    due: (accountId, now, limit) => CLOUDWATCH_ALARM.rows(sql, DUE, [accountId, now, limit]),
    schedule: (alarm) => schedule(sql, alarm),
    async setChildren({ accountId, region, name }, children) {
      await sql.run(DROP_CHILDREN, [accountId, region, name]);
      for (const child of children) await CLOUDWATCH_ALARM_CHILD.put(sql, { accountId, region, parent: name, child });
    },
    children: ({ accountId, region, name }) => CLOUDWATCH_ALARM.rows(sql, CHILDREN, [accountId, region, name, CHILDREN_MAX]),
    parents: ({ accountId, region, name }, after, limit) => CLOUDWATCH_ALARM.rows(sql, PARENTS, [accountId, region, name, after, limit]),
    async wakeParents({ accountId, region, name }, now) {
      await sql.run(WAKE, [accountId, region, name, now]);
    },
    addHistory: (entry) => CLOUDWATCH_ALARM_HISTORY.insert(sql, entry),
    history({ accountId, region, name, from, to, newestFirst, after }, limit) {
      const start = after ?? (newestFirst ? { at: to, number: 0 } : { at: from - 1, number: 0 });
      const values = [accountId, region, from, to, start.at, start.number];
      if (name === undefined) {
        return CLOUDWATCH_ALARM_HISTORY.rows(sql, newestFirst ? HISTORY_DESCENDING : HISTORY_ASCENDING, [...values, limit]);
      }
      return CLOUDWATCH_ALARM_HISTORY.rows(sql, newestFirst ? NAMED_DESCENDING : NAMED_ASCENDING, [...values, name, limit]);
    },
    forgetHistory: (before, limit) => sql.run(FORGET, [before, limit]),
  };
}

/** Latest time that the history can contain. */
export const HISTORY_END = toInstant(Date.UTC(9999, 0));
