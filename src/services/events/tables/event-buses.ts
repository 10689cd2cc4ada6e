/** Event buses, their rules and the targets of rules. */
import type { AccountId } from '#core/arn.ts';
import type { DeadLetterConfig, LogConfig, RuleState, Target } from '#model/generated/events.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, instant, int, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { TagRecord } from '#store/tag-record.ts';

/** Policy of a bus in its stored form, as `services/iam/stored-principals.ts` describes. */
export interface StoredBusPolicy {
  readonly policy: string;
  /** Account of each unique ID in `policy`. */
  readonly principals: Readonly<Record<string, AccountId>>;
}

/** Place of a bus. */
export interface BusKey {
  readonly accountId: AccountId;
  readonly region: string;
  readonly busName: string;
}

export interface RuleKey extends BusKey {
  readonly ruleName: string;
}

/**
 * Buses. Each account has the bus `default` in every region. It has a row only after its first change.
 */
export const EVENT_BUS = table('event_bus', {
  columns: {
    accountId: textOf<AccountId>(),
    region: text,
    busName: text,
    description: optional(text),
    deadLetterConfig: optional(json<DeadLetterConfig>()),
    logConfig: optional(json<LogConfig>()),
    policy: optional(json<StoredBusPolicy>()),
    tags: json<readonly TagRecord[]>(),
    createdAt: instant,
    modifiedAt: instant,
    /** Number of changes of the bus's rules and targets. Compiled rules of a version stay valid until it changes. */
    version: int,
    rules: int,
    archives: int,
    /** Sum of the costs of the patterns of its rules and archives. */
    patternsCost: int,
  },
  key: ['accountId', 'region', 'busName'],
});
export type BusRecord = Row<typeof EVENT_BUS>;

export const EVENT_RULE = table('event_rule', {
  columns: {
    accountId: textOf<AccountId>(),
    region: text,
    busName: text,
    ruleName: text,
    state: textOf<RuleState>(),
    eventPattern: optional(text),
    scheduleExpression: optional(text),
    /** Time of the next scheduled event. Absent in a rule that is disabled or has no schedule. */
    scheduleAt: optional(instant),
    description: optional(text),
    roleArn: optional(text),
    tags: json<readonly TagRecord[]>(),
    createdAt: instant,
    /** Cost of its pattern: `patternCost`. */
    cost: int,
  },
  key: ['accountId', 'region', 'busName', 'ruleName'],
  indexes: [
    { columns: ['scheduleAt'], where: 'schedule_at_ms IS NOT NULL' },
    { columns: ['accountId', 'scheduleAt'], where: 'schedule_at_ms IS NOT NULL' },
  ],
});
export type RuleRecord = Row<typeof EVENT_RULE>;

export const EVENT_TARGET = table('event_target', {
  columns: {
    accountId: textOf<AccountId>(),
    region: text,
    busName: text,
    ruleName: text,
    targetId: text,
    targetArn: text,
    target: json<Target>(),
  },
  key: ['accountId', 'region', 'busName', 'ruleName', 'targetId'],
  indexes: [['accountId', 'region', 'busName', 'targetArn', 'ruleName']],
});
export type TargetRecord = Row<typeof EVENT_TARGET>;

/** Repository of buses, rules and targets. Every change of a rule or target must be followed by `touch`. */
export interface EventBuses {
  addBus(bus: BusRecord): Promise<'added' | 'exists'>;
  bus(key: BusKey): Promise<BusRecord | undefined>;
  /** Replaces the configuration, the policy, the tags and `modifiedAt` of a bus. */
  putBus(bus: BusRecord): Promise<void>;
  /** Deletes a bus with its rules and targets. */
  removeBus(key: BusKey): Promise<'removed' | 'absent'>;
  /** Returns the number of buses of a region without the default bus. Stops counting at `most`. */
  countBuses(accountId: AccountId, region: string, most: number): Promise<number>;
  /** Returns buses in the order of names, starting after the name `after`. */
  listBuses(accountId: AccountId, region: string, after: string, limit: number): Promise<readonly BusRecord[]>;
  /** Adds 1 to the version of a bus, and adds to the numbers of its rules and archives, and to the cost of its patterns. */
  touch(key: BusKey, added?: { readonly rules?: number; readonly archives?: number; readonly cost?: number }): Promise<void>;
  /** Reports whether the bus `default` of an account has rules. */
  hasDefaultRules(): Promise<boolean>;
  /** Returns the version of a bus, and what its events reach. Reads one small row. `undefined`: no rule or archive of the bus exists. */
  uses(key: BusKey): Promise<BusUses | undefined>;

  rule(key: RuleKey): Promise<RuleRecord | undefined>;
  putRule(rule: RuleRecord): Promise<void>;
  removeRule(key: RuleKey): Promise<void>;
  listRules(key: BusKey, after: string, limit: number): Promise<readonly RuleRecord[]>;
  countRules(key: BusKey, most: number): Promise<number>;
  /** Reports whether the schedule of a rule is due in any account. */
  isDue(now: number): Promise<boolean>;
  /** Returns the first account after `after`, in the order of IDs, with a rule whose schedule is due. */
  nextDueAccount(after: string, now: number): Promise<AccountId | undefined>;
  /** Returns rules of an account whose schedule is due, the earliest first. */
  due(accountId: AccountId, now: number, limit: number): Promise<readonly RuleRecord[]>;
  /** Sets the time of the next scheduled event of a rule. */
  schedule(rule: RuleKey & Pick<RuleRecord, 'scheduleAt'>): Promise<void>;

  targets(key: RuleKey): Promise<readonly TargetRecord[]>;
  putTarget(target: TargetRecord): Promise<void>;
  removeTarget(key: RuleKey, targetId: string): Promise<'removed' | 'absent'>;
  /** Returns names of rules that have a target with this ARN, in the order of names. */
  rulesWithTarget(key: BusKey, targetArn: string, after: string, limit: number): Promise<readonly string[]>;
}

/** Rules and archives that the events of a bus reach. */
export interface BusUses {
  /** Time of the bus's creation. A bus that is created again starts with the version of a new bus. */
  readonly createdAt: number;
  readonly version: number;
  readonly rules: number;
  readonly archives: number;
  /** Whether too many events wait for the buses of the account, so that it gets no more. */
  readonly isFull: boolean;
}

const OF_BUS = 'account_id = $1 AND region = $2 AND bus_name = $3';
const TOUCH = `
  UPDATE event_bus SET version = version + 1, rules = rules + $4, archives = archives + $5, patterns_cost = patterns_cost + $6 WHERE ${OF_BUS}`;
const USES = `
  SELECT created_at_ms AS created, version, rules, archives,
    (SELECT COUNT(*) FROM full_event_account WHERE full_event_account.account_id = event_bus.account_id) AS full_accounts
  FROM event_bus WHERE ${OF_BUS} AND rules + archives > 0`;
const HAS_DEFAULT_RULES = "SELECT 1 AS found FROM event_bus WHERE bus_name = 'default' AND rules > 0 LIMIT 1";
const COUNT_BUSES = `
  SELECT COUNT(*) AS count FROM (
    SELECT 1 FROM event_bus WHERE account_id = $1 AND region = $2 AND bus_name <> 'default' LIMIT $3) AS counted`;
const COUNT_RULES = `SELECT COUNT(*) AS count FROM (SELECT 1 FROM event_rule WHERE ${OF_BUS} LIMIT $4) AS counted`;
const IS_DUE = 'SELECT 1 AS found FROM event_rule WHERE schedule_at_ms <= $1 LIMIT 1';
const NEXT_DUE = 'SELECT account_id FROM event_rule WHERE account_id > $1 AND schedule_at_ms <= $2 ORDER BY account_id LIMIT 1';
const DUE = `SELECT ${EVENT_RULE.names} FROM event_rule WHERE account_id = $1 AND schedule_at_ms <= $2 ORDER BY schedule_at_ms LIMIT $3`;
const WITH_TARGET = `
  SELECT DISTINCT rule_name FROM event_target WHERE ${OF_BUS} AND target_arn = $4 AND rule_name > $5 ORDER BY rule_name LIMIT $6`;

const putBus = EVENT_BUS.update('description', 'deadLetterConfig', 'logConfig', 'policy', 'tags', 'modifiedAt');
const setSchedule = EVENT_RULE.update('scheduleAt');
/** Maximum number of targets of a rule that one read returns. It is above the quota. */
const TARGETS_READ = 100;

/** Creates the repository of one transaction. */
export function eventBuses(sql: Sql): EventBuses {
  const of = ({ accountId, region, busName }: BusKey) => [accountId, region, busName] as const;
  return {
    addBus: (bus) => EVENT_BUS.add(sql, bus),
    bus: (key) => EVENT_BUS.get(sql, ...of(key)),
    async putBus(bus) {
      await putBus(sql, bus);
    },
    async removeBus(key) {
      for (const name of ['event_target', 'event_rule']) await sql.run(`DELETE FROM ${name} WHERE ${OF_BUS}`, [...of(key)]);
      return await EVENT_BUS.remove(sql, ...of(key));
    },
    countBuses: (accountId, region, most) => countOf(sql, COUNT_BUSES, [accountId, region, most]),
    listBuses: (accountId, region, after, limit) => EVENT_BUS.page(sql, [accountId, region], [after], limit),
    async touch(key, { rules = 0, archives = 0, cost = 0 } = {}) {
      await sql.run(TOUCH, [...of(key), rules, archives, cost]);
    },
    hasDefaultRules: async () => (await sql.row(HAS_DEFAULT_RULES)) !== undefined,
    async uses(key) {
      type Found = Readonly<Record<'created' | 'version' | 'rules' | 'archives' | 'full_accounts', number>>;
      const found = await sql.row<Found>(USES, [...of(key)]);
      return (
        found && {
          createdAt: Number(found.created),
          version: Number(found.version),
          rules: Number(found.rules),
          archives: Number(found.archives),
          isFull: Number(found.full_accounts) > 0,
        }
      );
    },

    rule: (key) => EVENT_RULE.get(sql, ...of(key), key.ruleName),
    putRule: (rule) => EVENT_RULE.put(sql, rule),
    async removeRule(key) {
      await sql.run(`DELETE FROM event_target WHERE ${OF_BUS} AND rule_name = $4`, [...of(key), key.ruleName]);
      await EVENT_RULE.remove(sql, ...of(key), key.ruleName);
    },
    listRules: (key, after, limit) => EVENT_RULE.page(sql, of(key), [after], limit),
    countRules: (key, most) => countOf(sql, COUNT_RULES, [...of(key), most]),
    isDue: async (now) => (await sql.row(IS_DUE, [now])) !== undefined,
    nextDueAccount: async (after, now) => (await sql.row<{ readonly account_id: AccountId }>(NEXT_DUE, [after, now]))?.account_id,
    due: (accountId, now, limit) => EVENT_RULE.rows(sql, DUE, [accountId, now, limit]),
    async schedule(rule) {
      await setSchedule(sql, rule);
    },

    targets: (key) => EVENT_TARGET.page(sql, [...of(key), key.ruleName], [''], TARGETS_READ),
    putTarget: (target) => EVENT_TARGET.put(sql, target),
    removeTarget: (key, targetId) => EVENT_TARGET.remove(sql, ...of(key), key.ruleName, targetId),
    async rulesWithTarget(key, targetArn, after, limit) {
      const rows = await sql.rows<{ readonly rule_name: string }>(WITH_TARGET, [...of(key), targetArn, after, limit]);
      return rows.map(({ rule_name: ruleName }) => ruleName);
    },
  };
}
