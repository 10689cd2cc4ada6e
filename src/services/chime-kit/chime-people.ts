/** Chime accounts of people, as messaging reads them. The tables belong to the service `chime`, which is the only one that writes them. */
import type { AccountId } from '#core/arn.ts';
import { inList, inListFrom } from '#store/in-list.ts';
import type { Sql } from '#store/sql.ts';

/** Reads of people. */
export interface ChimePeople {
  /**
   * Returns the Enterprise account of each person that is in one, for at most `IN_LIST_MAX` user IDs of an AWS account. People of Team accounts and people
   * without an account are absent. A suspended user of an Enterprise account is in the account.
   *
   *     ada in the Enterprise account e, bob in a Team account → Map { 'ada' → 'e' }
   */
  enterpriseAccounts(accountId: AccountId, userIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

const SELECT_ENTERPRISE = `
  SELECT u.user_id, u.chime_account_id FROM chime_user AS u
  JOIN chime_account AS a ON a.account_id = u.account_id AND a.chime_account_id = u.chime_account_id
  WHERE u.account_id = $1 AND u.is_member = 1 AND a.account_type <> 'Team' AND a.disabled_at_ms IS NULL AND u.user_id IN (${inListFrom(2)})`;

/** Creates the repository of one transaction. */
export function chimePeople(sql: Sql): ChimePeople {
  return {
    async enterpriseAccounts(accountId, userIds) {
      type Found = { readonly user_id: string; readonly chime_account_id: string };
      const found = await sql.rows<Found>(SELECT_ENTERPRISE, [accountId, ...inList(userIds)]);
      return new Map(found.map((row) => [row.user_id, row.chime_account_id]));
    },
  };
}
