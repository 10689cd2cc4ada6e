/**
 * The weekly usage report: a CSV file for each account, in the bucket of the global settings. `delivery/usage-reports.ts` writes the files.
 *
 * Source: Administration Guide, "Viewing usage reports", and chime.md §6: the place, the week and the columns.
 * Assumed: (1) the names of the columns; both dates of the name are the Sunday on which the week begins. (2) The bucket is that of Business
 * Calling. (3) Columns about meetings are empty, because this server has no meetings of Amazon Chime. (4) All users of the list have a row.
 */
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { CHIME_REGION } from '../chime-kit/chime-app-instance.ts';
import { recordServiceEvent } from '../chime-kit/service-events.ts';
import { chimeSettingsOf } from '../chime-kit/settings.ts';
import { messageCounts } from './tables/message-counts.ts';
import { usageReports } from './tables/usage-reports.ts';
import { placeOf, USERS_MAX, type UserPlace, users } from './tables/users.ts';

/** 1970-01-01 was a Thursday. */
const SUNDAY_OFFSET = 4;
const HEADER = [
  ...['Account Name', 'Week Start Date', 'Full Name', 'Email', 'Registration Status', 'Account Creation Date'],
  ...['Meetings Attended', 'Meetings Hosted', 'Messages Sent'],
];
/** Most users of a report, so that a file has a few megabytes. The last row of a report that has more says so. Assumed. */
const ROWS_MAX = 100_000;
/** A spreadsheet runs a cell that begins with one of these as a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** Report that is due, and the place of its file. */
export interface DueReport {
  readonly accountId: AccountId;
  readonly chimeAccountId: string;
  readonly accountName: string;
  readonly createdAt: Instant;
  /** First day of the week, as a number of days since 1970. */
  readonly week: number;
  /** Absent: the AWS account has no bucket for reports, so nothing is written. */
  readonly bucket: string | undefined;
  readonly key: string;
}

/** Returns the first report after the account `after` that is due: its week, from Sunday to Saturday in UTC, has ended. */
export async function dueReport(tx: Tx, now: Instant, after: string): Promise<DueReport | undefined> {
  const today = Math.floor(now / DAY_MS);
  const sunday = today - ((today + SUNDAY_OFFSET) % 7);
  const week = sunday - 7;
  const account = await tx.of(usageReports).due(week, instant(sunday * DAY_MS), after);
  if (account === undefined) return undefined;
  const { accountId, chimeAccountId, name, createdAt } = account;
  const bucket = (await chimeSettingsOf({ tx, accountId, now })).BusinessCallingCdrBucket;
  const date = dateOf(week);
  const file = `${fileName(name)}_${chimeAccountId}_${date.replaceAll('-', '')}.csv`;
  const key = `Amazon-Chime-User-Activity-Reports/csv/${accountId}/${date.replaceAll('-', '/')}/${file}`;
  return { accountId, chimeAccountId, accountName: name, createdAt, week, bucket, key };
}

/** Returns a report as CSV. Reads the users in several transactions. */
export async function reportCsv(run: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>, report: DueReport): Promise<string> {
  const { chimeAccountId, accountName, week, createdAt } = report;
  const range = { first: week, last: week + 6 };
  const rows: (readonly string[])[] = [HEADER];
  const account = [accountName, dateOf(week)];
  let after: UserPlace | undefined;
  do {
    const { page, counts } = await run(async (tx) => {
      const found = await tx.of(users).list(chimeAccountId, undefined, USERS_MAX, after);
      const ids = found.map(({ userId }) => userId);
      return {
        page: found,
        counts: ids.length === 0 ? new Map<string, number>() : await tx.of(messageCounts).ofUsers(chimeAccountId, ids, range),
      };
    });
    for (const { userId, registrationStatus, document } of page) {
      const person = [document.DisplayName ?? '', document.PrimaryEmail, registrationStatus];
      rows.push([...account, ...person, dateOf(Math.floor(createdAt / DAY_MS)), '', '', String(counts.get(userId) ?? 0)]);
    }
    const last = page.at(-1);
    after = page.length < USERS_MAX || last === undefined ? undefined : placeOf(last);
    if (after !== undefined && rows.length > ROWS_MAX) {
      rows.push([...account, `only the first ${ROWS_MAX} users`]);
      break;
    }
  } while (after !== undefined);
  return `${rows.map((cells) => cells.map(cellOf).join(',')).join('\r\n')}\r\n`;
}

/**
 * Stores that a report was written, and records it.
 *
 * Specific to Belfry: AWS documents no record of reports.
 */
export async function storeWritten(
  work: { readonly tx: Tx; readonly now: Instant; readonly newId: () => string },
  { accountId, chimeAccountId, week, bucket }: DueReport,
): Promise<void> {
  if (!(await work.tx.of(usageReports).setWritten(chimeAccountId, week))) return;
  const details = { chimeAccountId, weekStartDate: dateOf(week), bucketName: bucket };
  await recordServiceEvent(work, { accountId, region: CHIME_REGION }, 'DeliverUsageReport', details);
}

/** Returns a cell of CSV. Source: RFC 4180. A value that a spreadsheet would run as a formula gets an apostrophe. Assumed. */
function cellOf(value: string): string {
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Returns the name of an account in the name of a file. Source: as above, `+` for a space. Assumed: `_` for what is not safe in a name. */
function fileName(name: string): string {
  return name.replaceAll(' ', '+').replace(/[^A-Za-z0-9+.-]/g, '_');
}

function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
