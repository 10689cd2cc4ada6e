/** Writes a compliance report into a new folder. Reads one snapshot of a database, in bounded memory. */
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant, isoSeconds } from '#core/instant.ts';
import { serverFacts } from '#server/core/server-facts.ts';
import type { Settings } from '#server/settings.ts';
import type { ReadOnlyDatabase } from '#store/engine/read-only-database.ts';
import { readOnlyStore } from '#store/engine/read-only-store.ts';
import { identity } from '#store/identity/repository.ts';
import type { Sql } from '#store/sql.ts';
import { NO_CERTIFICATION, NOT_ASSESSED } from '../controls/controls.ts';
import { reportPage } from '../html/report-page.ts';
import { accessSection } from './access.ts';
import { activitySection } from './activity.ts';
import { credentialsSection } from './credentials.ts';
import { findingsSection } from './findings.ts';
import { type ComplianceReport, FORMAT, REPORT_SCHEMA } from './report.ts';
import { createReportFolder, type ReportFile, writeManifest } from './report-folder.ts';
import { responsibilitySection } from './responsibility.ts';
import { retentionSection } from './retention.ts';
import { rulesSection } from './rules.ts';
import { softwareSection } from './software.ts';
import { tlsSection } from './tls.ts';
import { type IntegrityOptions, trailSection } from './trail-integrity.ts';

export interface ReportRequest extends IntegrityOptions {
  /** New folder for the files. */
  readonly out: string;
  /** Account of the report. All accounts if undefined. */
  readonly accountId: AccountId | undefined;
  /** Days before now whose requests are counted. */
  readonly days: number;
  readonly now: Instant;
  readonly settings: Settings;
  /** Days of the event history, if the running server has stated them. */
  readonly eventHistoryDays: number | undefined;
}

export interface WrittenReport {
  readonly report: ComplianceReport;
  readonly files: readonly ReportFile[];
  /** SHA-256 of the manifest. */
  readonly manifestSha256: string;
}

const ACCOUNTS_PAGE = 500;

/**
 * Writes the files of a report.
 *
 * @throws Error  the folder exists, the account does not exist, or the disk is full
 */
export async function writeReport(database: ReadOnlyDatabase, request: ReportRequest): Promise<WrittenReport> {
  const { out, accountId, days, now, settings } = request;
  const { sql } = database;
  const accounts = await accountsOf(sql, accountId);
  const accountIds = accounts.map((each) => each.accountId);
  const folder = createReportFolder(out);
  const store = readOnlyStore(database);
  const eventHistory =
    request.eventHistoryDays === undefined
      ? { days: settings.eventHistoryDays, from: SETTINGS_FROM }
      : { days: request.eventHistoryDays, from: 'The running server stated it.' };
  const server = { ...serverFacts(settings), eventHistoryDays: eventHistory.days };
  const window = { accountIds: accountId === undefined ? undefined : new Set([accountId]), from: instant(now - days * DAY_MS), to: now };
  const engine = settings.database.startsWith('postgres') ? 'PostgreSQL' : 'SQLite';
  const report: ComplianceReport = {
    format: FORMAT,
    generatedAt: isoSeconds(now),
    statement: NO_CERTIFICATION,
    accounts,
    days,
    settingsFrom: SETTINGS_FROM,
    access: await accessSection(sql, accountIds, folder),
    activity: await activitySection(sql, window, folder),
    credentials: await credentialsSection(sql, accountIds, now, folder),
    rules: await rulesSection({ store, accountIds, region: settings.region, now, server }, folder),
    findings: await findingsSection(sql, accountIds, folder),
    trail: await trailSection(database, request),
    tls: tlsSection(settings.tlsCertificateFile, settings.dataFolder, now),
    software: await softwareSection(sql, engine, folder),
    retention: await retentionSection(sql, accountIds, eventHistory, folder),
    responsibility: responsibilitySection(),
    notAssessed: NOT_ASSESSED,
  };
  folder.write('report.json', `${JSON.stringify(report, null, 2)}\n`);
  folder.write('report.schema.json', `${JSON.stringify(REPORT_SCHEMA, null, 2)}\n`);
  folder.write('report.html', reportPage(report));
  const manifestSha256 = writeManifest(folder, report.generatedAt);
  return { report, files: folder.files(), manifestSha256 };
}

const SETTINGS_FROM =
  'They are the BELFRY_… variables of the command that wrote the report, and the defaults. A server that was started with other variables or with flags can have other settings.';

/** Returns the accounts of a report, in the order of their IDs. @throws Error  the account does not exist */
async function accountsOf(sql: Sql, accountId: AccountId | undefined): Promise<{ readonly accountId: AccountId; readonly name: string }[]> {
  const records = identity(sql);
  const accounts: { accountId: AccountId; name: string }[] = [];
  const add = async (id: AccountId): Promise<void> => {
    const record = await records.get(id, 'account', id);
    if (record !== undefined) accounts.push({ accountId: id, name: record.name });
  };
  if (accountId !== undefined) {
    await add(accountId);
    if (accounts.length === 0) throw new Error(`account '${accountId}' does not exist`);
    return accounts;
  }
  for (let after: AccountId | undefined, more = true; more; ) {
    const page: AccountId[] = await records.accountIds(ACCOUNTS_PAGE, after);
    for (const id of page) await add(id);
    after = page.at(-1);
    more = page.length === ACCOUNTS_PAGE;
  }
  return accounts;
}
