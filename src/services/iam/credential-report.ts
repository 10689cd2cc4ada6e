/**
 * The credential report: a line for the root and for each user, with what they can sign in and sign with. Requirement COMP-1.
 *
 * Source: IAM User Guide, "Generate credential reports for your AWS account".
 */
import { arn } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import { type Instant, instant, isoSeconds } from '#core/instant.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { AccessKeyRecord, AccountRecord, UserRecord } from '#store/identity.ts';
import type { Call, ServiceOperations } from '../operation.ts';
import { rootAccessKeys } from './access-keys.ts';
import { ownAccount } from './account.ts';
import { everyRecord } from './entities.ts';
import { onAccount } from './resources.ts';

/** A report is given again for so long, and shown for no longer. */
const FRESH_MS = 4 * 3_600_000;
/** How long it is known that there was one. Assumed. */
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

interface Report {
  readonly generatedAt: Instant;
  readonly content: string;
}

export const credentialReportOperations = {
  /** Makes the report at once where there is no fresh one. The first answer is STARTED, as clients expect that ask until it is COMPLETE. */
  GenerateCredentialReport: {
    access: () => onAccount('iam:GenerateCredentialReport'),
    async handle(call) {
      const kept = await keptReport(call);
      if (kept !== undefined && isFresh(call, kept)) return { State: 'COMPLETE' };
      await keepReport(call, { generatedAt: call.now, content: await writeReport(call) });
      return { State: 'STARTED', Description: 'No report exists. Starting a new report generation task' };
    },
  },

  /** Assumed: the texts. */
  GetCredentialReport: {
    access: () => onAccount('iam:GetCredentialReport'),
    async handle(call) {
      const report = await keptReport(call);
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

/** Kept as the answer that it is, until nobody can ask for it any more. */
function placeOf(call: Call) {
  return { accountId: call.accountId, region: '', operation: 'iam:GenerateCredentialReport', token: 'report' };
}

async function keptReport(call: Call): Promise<Report | undefined> {
  const kept = await call.tx.idempotency.get(placeOf(call), call.now);
  return kept && (JSON.parse(kept.answer) as Report);
}

async function keepReport(call: Call, report: Report): Promise<void> {
  const expiresAt = instant(call.now + REMEMBERED_MS);
  await call.tx.idempotency.put(placeOf(call), { requestHash: '', answer: JSON.stringify(report), expiresAt });
}

async function writeReport(call: Call): Promise<string> {
  const account = await ownAccount(call);
  const lines = [COLUMNS.join(','), await rootLine(call, account)];
  for await (const { record } of everyRecord(call.tx, call.accountId, 'user')) lines.push(await userLine(call, account, record));
  return lines.join('\n');
}

async function rootLine(call: Call, account: AccountRecord): Promise<string> {
  const keys = await rootAccessKeys(call.tx, call.accountId);
  return line([
    '<root_account>',
    arn('iam', '', call.accountId, 'root'),
    moment(account.createdAt),
    'not_supported',
    'no_information',
    'not_supported',
    'not_supported',
    String((account.mfaSerialNumbers ?? []).length > 0),
    ...(await keyColumns(call, keys)),
  ]);
}

async function userLine(call: Call, account: AccountRecord, user: UserRecord): Promise<string> {
  const keys: AccessKeyRecord[] = [];
  for (const id of user.accessKeyIds) {
    const key = await call.tx.identity.get(call.accountId, 'access-key', id);
    if (key !== undefined) keys.push(key);
  }
  return line([
    user.userName,
    user.arn,
    moment(user.createdAt),
    ...passwordColumns(account, user),
    String((user.mfaSerialNumbers ?? []).length > 0),
    ...(await keyColumns(call, keys)),
  ]);
}

function passwordColumns(account: AccountRecord, user: UserRecord): readonly string[] {
  const profile = user.loginProfile;
  if (profile === undefined) return ['false', 'N/A', 'N/A', 'N/A'];
  const days = account.passwordPolicy?.maxAgeDays;
  const lastUsed = user.passwordLastUsedAt === undefined ? 'no_information' : moment(user.passwordLastUsedAt);
  const next = days === undefined ? 'N/A' : moment(instant(profile.changedAt + days * 86_400_000));
  return ['true', lastUsed, moment(profile.changedAt), next];
}

/** Two keys, then two certificates, which Belfry has none of. */
async function keyColumns(call: Call, keys: readonly AccessKeyRecord[]): Promise<readonly string[]> {
  const columns: string[] = [];
  for (const key of [keys[0], keys[1]]) {
    if (key === undefined) {
      columns.push('false', 'N/A', 'N/A', 'N/A', 'N/A');
      continue;
    }
    const [use] = await call.tx.lastUses.of(call.accountId, key.accessKeyId);
    const used = use === undefined ? ['N/A', 'N/A', 'N/A'] : [moment(use.at), use.region, use.service];
    columns.push(String(key.status === 'Active'), moment(key.createdAt), ...used);
  }
  return [...columns, 'false', 'N/A', 'false', 'N/A'];
}

/** `2026-11-22T02:25:00+00:00`. */
function moment(at: Instant): string {
  return isoSeconds(at).replace('Z', '+00:00');
}

/** A name may have a comma in it. */
function line(values: readonly string[]): string {
  return values.map((value) => (value.includes(',') ? `"${value}"` : value)).join(',');
}
