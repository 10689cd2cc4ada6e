/** Analyzers, and the archive rules of analyzers. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { AnalyzerConfiguration, Criterion, Type } from '#model/generated/accessanalyzer.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, instant, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { TagRecord } from '#store/tag-record.ts';

/** Types of analyzers that this server has. */
export type AnalyzerType = Exclude<Type, `${string}_INTERNAL_ACCESS`>;

/** Place of a scan that is not complete. */
export interface ScanPlace {
  /** Time at which the scan began. Resources that were analyzed before no longer exist. */
  readonly startedAt: Instant;
  /** Account whose resources the scan reads. Absent after the last account. */
  readonly accountId?: AccountId;
  /** Index of the source of resources, and the ARN of the last resource that was read of it. */
  readonly source: number;
  readonly after?: string;
  /** Whether another scan begins at the end of this one, because a resource changed that this one may have read before. */
  readonly again?: true;
}

export const ACCESS_ANALYZER = table('access_analyzer', {
  columns: {
    accountId: textOf<AccountId>(),
    region: text,
    name: text,
    /** ID of the analyzer in other tables. A later analyzer with this name has another ID. */
    analyzerId: text,
    type: textOf<AnalyzerType>(),
    configuration: optional(json<AnalyzerConfiguration>()),
    tags: json<readonly TagRecord[]>(),
    createdAt: instant,
    /** Time of the next step of a scan. */
    scanAt: instant,
    scan: optional(json<ScanPlace>()),
  },
  key: ['accountId', 'region', 'name'],
  indexes: [{ columns: ['analyzerId'], unique: true }, ['type', 'accountId'], ['scanAt']],
});
export type AnalyzerRecord = Row<typeof ACCESS_ANALYZER>;
export type AnalyzerKey = Pick<AnalyzerRecord, 'accountId' | 'region' | 'name'>;

/** Conditions of a filter, by filter key. */
export type Filter = Readonly<Record<string, Criterion>>;

export const ACCESS_ANALYZER_RULE = table('access_analyzer_rule', {
  columns: {
    analyzerId: text,
    ruleName: text,
    filter: json<Filter>(),
    createdAt: instant,
    updatedAt: instant,
    /** ID of the last finding to which ApplyArchiveRule has applied the rule. Absent if it is complete. */
    appliedTo: optional(text),
  },
  key: ['analyzerId', 'ruleName'],
  indexes: [{ columns: ['analyzerId'], where: 'applied_to IS NOT NULL' }],
});
export type RuleRecord = Row<typeof ACCESS_ANALYZER_RULE>;

/** Deleted analyzers whose findings are not all deleted. */
export const ACCESS_ANALYZER_DELETED = table('access_analyzer_deleted', {
  columns: { analyzerId: text, accountId: textOf<AccountId>(), region: text, name: text },
  key: ['analyzerId'],
});
export type DeletedAnalyzer = Row<typeof ACCESS_ANALYZER_DELETED>;

export interface Analyzers {
  get(key: AnalyzerKey): Promise<AnalyzerRecord | undefined>;
  byId(analyzerId: string): Promise<AnalyzerRecord | undefined>;
  /** Adds an analyzer. Returns 'exists', and changes nothing, if the account has an analyzer with this name in the region. */
  add(analyzer: AnalyzerRecord): Promise<'added' | 'exists'>;
  setTags(analyzer: Pick<AnalyzerRecord, keyof AnalyzerKey | 'tags'>): Promise<void>;
  setConfiguration(analyzer: Pick<AnalyzerRecord, keyof AnalyzerKey | 'configuration' | 'scanAt' | 'scan'>): Promise<void>;
  /** Sets the time and the place of the next step of a scan. */
  setScan(analyzer: Pick<AnalyzerRecord, keyof AnalyzerKey | 'scanAt' | 'scan'>): Promise<void>;
  /** Starts a scan. If one is in progress, another one begins at its end. */
  rescan(analyzer: Pick<AnalyzerRecord, keyof AnalyzerKey | 'scanAt' | 'scan'>, now: Instant): Promise<void>;
  /** Deletes an analyzer and its rules. A sweep deletes its findings. */
  remove(analyzer: AnalyzerRecord): Promise<void>;
  /** Returns analyzers of an account in a region in the order of names, after the name `after`. */
  list(place: Pick<AnalyzerKey, 'accountId' | 'region'>, after: string, limit: number): Promise<readonly AnalyzerRecord[]>;
  /** Returns the number of analyzers of a type. */
  count(place: Pick<AnalyzerKey, 'accountId' | 'region'>, type: AnalyzerType): Promise<number>;
  /**
   * Reports whether an analyzer of an account exists, or of any organization. This is one look-up in an index, so that changes of accounts without
   * analyzers cost no more.
   */
  mayCover(accountId: AccountId): Promise<boolean>;
  /** Returns all analyzers of an account with one of the types, in all regions. */
  ofAccount(accountId: AccountId, isOrganization: boolean): Promise<readonly AnalyzerRecord[]>;
  /** Returns at most `limit` analyzers of an account in all regions. */
  ofAnyType(accountId: AccountId, limit: number): Promise<readonly AnalyzerRecord[]>;
  /** Returns the analyzer whose scan has waited longest since it was due. */
  due(now: Instant): Promise<AnalyzerRecord | undefined>;
  /** Starts the scans of an organization's analyzers again. */
  rescanOrganization(managementAccountId: AccountId, now: Instant): Promise<void>;
  /** Returns a deleted analyzer whose findings are not all deleted. */
  nextDeleted(): Promise<DeletedAnalyzer | undefined>;
  forgetDeleted(analyzerId: string): Promise<void>;

  rule(analyzerId: string, ruleName: string): Promise<RuleRecord | undefined>;
  addRule(rule: RuleRecord): Promise<'added' | 'exists'>;
  putRule(rule: RuleRecord): Promise<void>;
  removeRule(analyzerId: string, ruleName: string): Promise<'removed' | 'absent'>;
  /** Returns rules in the order of names, after the name `after`. */
  rules(analyzerId: string, after: string, limit: number): Promise<readonly RuleRecord[]>;
  countRules(analyzerId: string): Promise<number>;
  /** Returns a rule that is not applied to all findings yet, of any analyzer. */
  nextApplied(): Promise<RuleRecord | undefined>;
}

const SELECT = `SELECT ${ACCESS_ANALYZER.names} FROM access_analyzer`;
const PLACE = 'account_id = $1 AND region = $2';
const COUNT = `SELECT COUNT(*) AS count FROM access_analyzer WHERE ${PLACE} AND type = $3`;
const OF_ORGANIZATIONS = "type IN ('ORGANIZATION', 'ORGANIZATION_UNUSED_ACCESS')";
const OF_ACCOUNTS = "type IN ('ACCOUNT', 'ACCOUNT_UNUSED_ACCESS')";
const MAY_COVER = `SELECT 1 AS found FROM (SELECT type FROM access_analyzer WHERE account_id = $1 LIMIT 1) AS own
  UNION ALL SELECT 1 AS found FROM (SELECT type FROM access_analyzer WHERE ${OF_ORGANIZATIONS} LIMIT 1) AS others`;
const ACCOUNT_ANALYZERS = `${SELECT} WHERE account_id = $1 AND ${OF_ACCOUNTS} ORDER BY region, name`;
const ORGANIZATION_ANALYZERS = `${SELECT} WHERE account_id = $1 AND ${OF_ORGANIZATIONS} ORDER BY region, name`;
const ANY_TYPE = `${SELECT} WHERE account_id = $1 ORDER BY region, name LIMIT $2`;
const BY_ID = `${SELECT} WHERE analyzer_id = $1`;
const DUE = `${SELECT} WHERE scan_at_ms <= $1 ORDER BY scan_at_ms LIMIT 1`;
const RESCAN = `UPDATE access_analyzer SET scan_at_ms = $2, scan = NULL WHERE account_id = $1 AND ${OF_ORGANIZATIONS}`;
const NEXT_DELETED = `SELECT ${ACCESS_ANALYZER_DELETED.names} FROM access_analyzer_deleted ORDER BY analyzer_id LIMIT 1`;
const DROP_RULES = 'DELETE FROM access_analyzer_rule WHERE analyzer_id = $1';
const COUNT_RULES = 'SELECT COUNT(*) AS count FROM access_analyzer_rule WHERE analyzer_id = $1';
const NEXT_APPLIED = `SELECT ${ACCESS_ANALYZER_RULE.names} FROM access_analyzer_rule WHERE applied_to IS NOT NULL ORDER BY analyzer_id LIMIT 1`;

const setTags = ACCESS_ANALYZER.update('tags');
const setConfiguration = ACCESS_ANALYZER.update('configuration', 'scanAt', 'scan');
const setScan = ACCESS_ANALYZER.update('scanAt', 'scan');

/** Creates the repository of one transaction. */
export function analyzers(sql: Sql): Analyzers {
  return {
    get: ({ accountId, region, name }) => ACCESS_ANALYZER.get(sql, accountId, region, name),
    byId: (analyzerId) => ACCESS_ANALYZER.row(sql, BY_ID, [analyzerId]),
    add: (analyzer) => ACCESS_ANALYZER.add(sql, analyzer),
    setTags: async (analyzer) => void (await setTags(sql, analyzer)),
    setConfiguration: async (analyzer) => void (await setConfiguration(sql, analyzer)),
    setScan: async (analyzer) => void (await setScan(sql, analyzer)),
    async rescan({ scanAt, scan, ...analyzer }, now) {
      const due = scan === undefined ? { scanAt: now } : { scanAt, scan: { ...scan, again: true } as const };
      await setScan(sql, { ...analyzer, ...due });
    },
    async remove({ accountId, region, name, analyzerId }) {
      await sql.run(DROP_RULES, [analyzerId]);
      await ACCESS_ANALYZER.remove(sql, accountId, region, name);
      await ACCESS_ANALYZER_DELETED.insert(sql, { analyzerId, accountId, region, name });
    },
    list: ({ accountId, region }, after, limit) => ACCESS_ANALYZER.page(sql, [accountId, region], [after], limit),
    count: ({ accountId, region }, type) => countOf(sql, COUNT, [accountId, region, type]),
    mayCover: async (accountId) => (await sql.row(MAY_COVER, [accountId])) !== undefined,
    ofAccount: (accountId, isOrganization) =>
      ACCESS_ANALYZER.rows(sql, isOrganization ? ORGANIZATION_ANALYZERS : ACCOUNT_ANALYZERS, [accountId]),
    ofAnyType: (accountId, limit) => ACCESS_ANALYZER.rows(sql, ANY_TYPE, [accountId, limit]),
    due: (now) => ACCESS_ANALYZER.row(sql, DUE, [now]),
    rescanOrganization: async (managementAccountId, now) => void (await sql.run(RESCAN, [managementAccountId, now])),
    nextDeleted: () => ACCESS_ANALYZER_DELETED.row(sql, NEXT_DELETED),
    forgetDeleted: async (analyzerId) => void (await ACCESS_ANALYZER_DELETED.remove(sql, analyzerId)),

    rule: (analyzerId, ruleName) => ACCESS_ANALYZER_RULE.get(sql, analyzerId, ruleName),
    addRule: (rule) => ACCESS_ANALYZER_RULE.add(sql, rule),
    putRule: (rule) => ACCESS_ANALYZER_RULE.put(sql, rule),
    removeRule: (analyzerId, ruleName) => ACCESS_ANALYZER_RULE.remove(sql, analyzerId, ruleName),
    rules: (analyzerId, after, limit) => ACCESS_ANALYZER_RULE.page(sql, [analyzerId], [after], limit),
    countRules: (analyzerId) => countOf(sql, COUNT_RULES, [analyzerId]),
    nextApplied: () => ACCESS_ANALYZER_RULE.row(sql, NEXT_APPLIED),
  };
}
