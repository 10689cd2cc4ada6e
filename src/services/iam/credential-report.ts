/**
 * The credential report: one line for the root user and one for each user, with the state of their passwords, MFA devices and access keys.
 * Requirement COMP-1.
 *
 * Source: IAM User Guide, "Generate credential reports for your AWS account".
 */
import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import { type Instant, instant, isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { AccountRecord } from '#store/identity/identity.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { surveyed } from '../kit/survey.ts';
import { ownAccount } from './account.ts';
import { type AccessKeyFacts, type CredentialFacts, rootCredentials, userCredentials } from './credential-facts.ts';
import { AwsError } from './errors.ts';

/**
 * Lifetime of a report: 4 hours. If the report is older, GenerateCredentialReport replaces it, and GetCredentialReport
 * returns CredentialReportExpiredException.
 */
const FRESH_MS = 4 * HOUR_MS;
/**
 * Time after which a report is deleted: 30 days. GetCredentialReport returns CredentialReportNotPresentException after
 * the deletion. Assumed: the number of days.
 */
const REMEMBERED_MS = 30 * DAY_MS;

// biome-ignore format: a table
const COLUMNS = [
  'user', 'arn', 'user_creation_time',
  'password_enabled', 'password_last_used', 'password_last_changed', 'password_next_rotation',
  'mfa_active',
  'access_key_1_active', 'access_key_1_last_rotated', 'access_key_1_last_used_date', 'access_key_1_last_used_region', 'access_key_1_last_used_service',
  'access_key_2_active', 'access_key_2_last_rotated', 'access_key_2_last_used_date', 'access_key_2_last_used_region', 'access_key_2_last_used_service',
  'cert_1_active', 'cert_1_last_rotated', 'cert_2_active', 'cert_2_last_rotated',
];

interface Report {
  readonly generatedAt: Instant;
  readonly content: string;
}

/** Operations on the credential report. */
export const credentialReportOperations = {
  /**
   * Returns the state COMPLETE if there is a current report. Otherwise creates the report before the response, which
   * still contains the state STARTED. Clients repeat the call until the state is COMPLETE, so the next call returns
   * COMPLETE.
   */
  GenerateCredentialReport: {
    async handle(call) {
      const stored = await storedReport(call);
      if (stored !== undefined && isFresh(call, stored)) return { State: 'COMPLETE' };
      await storeReport(call, { generatedAt: call.now, content: await writeReport(call) });
      return { State: 'STARTED', Description: 'No report exists. Starting a new report generation task' };
    },
  },

  /** Returns the current report. Assumed: the messages. */
  GetCredentialReport: {
    async handle(call) {
      const report = await storedReport(call);
      if (report === undefined) throw new AwsError('CredentialReportNotPresentException', 'No credential report is present. Generate one.');
      if (!isFresh(call, report))
        throw new AwsError('CredentialReportExpiredException', 'The credential report has expired. Generate a new one.');
      return { Content: new Uint8Array(Buffer.from(report.content)), ReportFormat: 'text/csv', GeneratedTime: report.generatedAt };
    },
  },
} satisfies Partial<ServiceOperations<IamApi>>;

function isFresh(call: Call, report: Report): boolean {
  return call.now < report.generatedAt + FRESH_MS;
}

/**
 * Returns the key of the report. The report is stored like the response for an idempotency token, because the store
 * deletes such responses when they expire.
 */
function placeOf(call: Call) {
  return { accountId: call.accountId, region: '', operation: 'iam:GenerateCredentialReport', token: 'report' };
}

async function storedReport(call: Call): Promise<Report | undefined> {
  const stored = await call.tx.idempotency.get(placeOf(call), call.now);
  return stored && (JSON.parse(stored.answer) as Report);
}

async function storeReport(call: Call, report: Report): Promise<void> {
  const expiresAt = instant(call.now + REMEMBERED_MS);
  await call.tx.idempotency.put(placeOf(call), { requestHash: '', answer: JSON.stringify(report), expiresAt });
}

/**
 * Number of users that one transaction reads for the report. Reading this many users takes about 10 ms. The report uses
 * several transactions, so that other requests do not wait long.
 */
const USERS_PER_PART = 100;

async function writeReport(call: Call): Promise<string> {
  const account = await ownAccount(call);
  const users = surveyed(call, 'credential report', '', async (tx, after) => {
    const users = await tx.identity.summaries(call.accountId, 'user', { after, limit: USERS_PER_PART });
    const items: string[] = [];
    for (const { record } of users) items.push(userLine(await userCredentials(tx, account, record)));
    return omitUndefined({ items, next: users[USERS_PER_PART - 1]?.key });
  });
  return [COLUMNS.join(','), await rootLine(call, account), ...users].join('\n');
}

async function rootLine(call: Call, account: AccountRecord): Promise<string> {
  const facts = await rootCredentials(call.tx, account);
  return lineOf('<root_account>', facts, ['not_supported', 'no_information', 'not_supported', 'not_supported']);
}

function userLine(facts: CredentialFacts): string {
  const { userName = '', password } = facts;
  if (password === undefined) return lineOf(userName, facts, ['false', 'N/A', 'N/A', 'N/A']);
  const { lastUsedAt, changedAt, nextRotationAt } = password;
  return lineOf(userName, facts, [
    'true',
    lastUsedAt === undefined ? 'no_information' : reportTime(lastUsedAt),
    reportTime(changedAt),
    nextRotationAt === undefined ? 'N/A' : reportTime(nextRotationAt),
  ]);
}

function lineOf(name: string, { arn, createdAt, mfaActive, accessKeys }: CredentialFacts, password: readonly string[]): string {
  return line([name, arn, reportTime(createdAt), ...password, String(mfaActive), ...keyColumns(accessKeys)]);
}

/** Returns the columns of two access keys and two signing certificates. Belfry has no signing certificates. */
function keyColumns(keys: readonly AccessKeyFacts[]): readonly string[] {
  const columns: string[] = [];
  for (const key of [keys[0], keys[1]]) {
    if (key === undefined) {
      columns.push('false', 'N/A', 'N/A', 'N/A', 'N/A');
      continue;
    }
    const { active, createdAt, lastUse } = key;
    const used = lastUse === undefined ? ['N/A', 'N/A', 'N/A'] : [reportTime(lastUse.at), lastUse.region, lastUse.service];
    columns.push(String(active), reportTime(createdAt), ...used);
  }
  return [...columns, 'false', 'N/A', 'false', 'N/A'];
}

/** Formats a time as in the report: `2026-11-22T02:25:00+00:00`. */
export function reportTime(at: Instant): string {
  return isoSeconds(at).replace('Z', '+00:00');
}

/** Formats a line. Quotes values that contain a comma, which is valid in names. */
function line(values: readonly string[]): string {
  return values.map((value) => (value.includes(',') ? `"${value}"` : value)).join(',');
}
