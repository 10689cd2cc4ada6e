/** Window of recorded requests, which the commands on recorded decisions share. */
import type { ReplayWindow } from '#access/past/replay-window.ts';
import type { AccountId } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { type Flag, FlagError, type ParsedFlags } from '#server/flags.ts';
import type { Sql } from '#store/sql.ts';

export const DAYS: Flag = { flag: '--days', valid: 'a number of days from 1 to 99999' };
const DAYS_DEFAULT = 30;

/** Returns the number of days of `DAYS`. @throws FlagError  the value is not from 1 to 99999, because a window of no days has no requests */
export function daysOf(parsed: ParsedFlags): number {
  const days = numberOf(parsed, DAYS, DAYS_DEFAULT);
  if (days === 0) throw invalidValue(parsed, DAYS);
  return days;
}

/** Returns the window of the last days, of one account or of all. */
export function lastDays(days: number, accountId?: AccountId): ReplayWindow {
  const to = instant(Date.now());
  return { accountIds: accountId === undefined ? undefined : new Set([accountId]), from: (to - days * DAY_MS) as Instant, to };
}

/** Returns the value of a flag with a number of at most five digits. @throws FlagError  another value */
export function numberOf(parsed: ParsedFlags, flag: Flag, otherwise: number): number {
  const text = parsed.values.get(flag.flag);
  if (text === undefined) return otherwise;
  if (!/^[0-9]{1,5}$/.test(text)) throw invalidValue(parsed, flag);
  return Number(text);
}

function invalidValue({ values }: ParsedFlags, { flag, valid }: Flag): FlagError {
  return new FlagError(`${flag} is '${values.get(flag)}'; it must be ${valid}`);
}

/** Returns the IDs of all accounts that exist or existed. */
export async function accountsIn(sql: Sql): Promise<readonly AccountId[]> {
  const rows = await sql.rows<{ readonly account_id: AccountId }>(
    "SELECT account_id FROM identity_document WHERE kind = 'account' ORDER BY account_id",
  );
  return rows.map(({ account_id }) => account_id);
}
