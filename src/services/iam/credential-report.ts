/**
 * The credential report: one line for the root user and one for each user, with the state of their passwords, MFA devices and access keys.
 * Requirement COMP-1.
 *
 * Source: IAM User Guide, "Generate credential reports for your AWS account".
 */
import { arn } from '#core/arn.ts';
import { type Instant, instant, isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { AccessKeyRecord, AccountRecord } from '#store/identity/identity.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Tx } from '#store/store.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { surveyed } from '../kit/survey.ts';
import { rootAccessKeys } from './access-keys.ts';
import { ownAccount } from './account.ts';
import { AwsError } from './errors.ts';

/**
 * Lifetime of a report: 4 hours. If the report is older, GenerateCredentialReport replaces it, and GetCredentialReport
 * returns CredentialReportExpiredException.
 */
const FRESH_MS = 4 * 3_600_000;
/**
 * Time after which a report is deleted: 30 days. GetCredentialReport returns CredentialReportNotPresentException after
 * the deletion. Assumed: the number of days.
 */
const REMEMBERED_MS = 30 * 24 * 3_600_000;

// biome-ignore format: a table
const COLUMNS = [
  'user', 'arn', 'user_creation_time',
  'password_enabled', 'password_last_used', 'password_last_changed', 'password_next_rotation',
  'mfa_active',
  'access_key_1_active', 'access_key_1_last_rotated', 'access_key_1_last_used_date', 'access_key_1_last_used_region', 'access_key_1_last_used_service',
  'access_key_2_active', 'access_key_2_last_rotated', 'access_key_2_last_used_date', 'access_key_2_last_used_region', 'access_key_2_last_used_service',
  'cert_1_active', 'cert_1_last_rotated', 'cert_2_active', 'cert_2_last_rotated',
];

type UserSummary = IdentitySummaries['user'];

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
    for (const { record } of users) items.push(await userLine(tx, account, record));
    return omitUndefined({ items, next: users[USERS_PER_PART - 1]?.key });
  });
  return [COLUMNS.join(','), await rootLine(call, account), ...users].join('\n');
}

async function rootLine(call: Call, account: AccountRecord): Promise<string> {
  const keys = await rootAccessKeys(call.tx, call.accountId);
  return line([
    '<root_account>',
    arn('iam', '', call.accountId, 'root'),
    reportTime(account.createdAt),
    'not_supported',
    'no_information',
    'not_supported',
    'not_supported',
    String((account.mfaSerialNumbers ?? []).length > 0),
    ...(await keyColumns(call.tx, account, keys)),
  ]);
}

async function userLine(tx: Tx, account: AccountRecord, user: UserSummary): Promise<string> {
  const keys: AccessKeyRecord[] = [];
  for (const id of user.accessKeyIds) {
    const key = await tx.identity.get(account.accountId, 'access-key', id);
    if (key !== undefined) keys.push(key);
  }
  return line([
    user.userName,
    user.arn,
    reportTime(user.createdAt),
    ...passwordColumns(account, user),
    String((user.mfaSerialNumbers ?? []).length > 0),
    ...(await keyColumns(tx, account, keys)),
  ]);
}

function passwordColumns(account: AccountRecord, user: UserSummary): readonly string[] {
  const profile = user.loginProfile;
  if (profile === undefined) return ['false', 'N/A', 'N/A', 'N/A'];
  const days = account.passwordPolicy?.maxAgeDays;
  const lastUsed = user.passwordLastUsedAt === undefined ? 'no_information' : reportTime(user.passwordLastUsedAt);
  const next = days === undefined ? 'N/A' : reportTime(instant(profile.changedAt + days * 86_400_000));
  return ['true', lastUsed, reportTime(profile.changedAt), next];
}

/** Returns the columns of two access keys and two signing certificates. Belfry has no signing certificates. */
async function keyColumns(tx: Tx, { accountId }: AccountRecord, keys: readonly AccessKeyRecord[]): Promise<readonly string[]> {
  const columns: string[] = [];
  for (const key of [keys[0], keys[1]]) {
    if (key === undefined) {
      columns.push('false', 'N/A', 'N/A', 'N/A', 'N/A');
      continue;
    }
    const [use] = await tx.lastUses.of(accountId, key.accessKeyId);
    const used = use === undefined ? ['N/A', 'N/A', 'N/A'] : [reportTime(use.at), use.region, use.service];
    columns.push(String(key.status === 'Active'), reportTime(key.createdAt), ...used);
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
