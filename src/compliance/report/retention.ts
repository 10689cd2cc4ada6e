/** How long data stays: the event history, the trails, and messages of Amazon Chime. Requirements COMP-5, COMP-8. */
import type { AccountId } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { type AccountPlace, accounts } from '#services/chime/tables/accounts.ts';
import { trails } from '#services/cloudtrail/tables/trails.ts';
import type { Sql } from '#store/sql.ts';
import { trailRetention } from '#store/trail/trail-retention.ts';
import { described, excerpt, excerptOf, flag, list, type Of, object, optional, text, whole } from '../shape.ts';
import type { ReportFolder } from './report-folder.ts';

const TRAIL_OF = object({
  accountId: text,
  name: text,
  homeRegion: text,
  logging: flag,
  multiRegion: flag,
  organization: flag,
  fileValidation: described(flag, 'Whether the server writes digests, which prove that the files are unchanged.'),
  bucket: text,
});

/** Retention of a Chime account, in the file of all accounts. */
export const CHIME_RETENTION_OF = object({
  accountId: text,
  chimeAccountId: text,
  name: text,
  type: text,
  roomDays: described(optional(whole), 'Days after which messages in rooms are deleted. Absent if they stay.'),
  conversationDays: optional(whole),
});

export const RETENTION = object({
  eventHistoryDays: described(whole, 'Days that trail records stay, unless an account has its own.'),
  eventHistoryFrom: described(text, 'How the number is known.'),
  ownEventHistory: described(list(object({ accountId: text, days: whole })), 'Accounts with their own number of days.'),
  moreOwnEventHistory: whole,
  trails: list(TRAIL_OF),
  moreTrails: whole,
  chimeAccounts: excerpt(CHIME_RETENTION_OF),
});
export type Retention = Of<typeof RETENTION>;

/** Maximum number of items of each list in the report. */
const LISTED_MAX = 200;
const PAGE = 200;

/** Writes the file about Chime accounts, and returns the section of the report. */
export async function retentionSection(
  sql: Sql,
  accountIds: readonly AccountId[],
  eventHistory: { readonly days: number; readonly from: string },
  folder: ReportFolder,
): Promise<Retention> {
  const own = await ownRetention(sql, new Set(accountIds));
  const found: Of<typeof TRAIL_OF>[] = [];
  const file = folder.lines('chime-retention.jsonl');
  const chime: Of<typeof CHIME_RETENTION_OF>[] = [];
  for (const accountId of accountIds) {
    for (const { name, homeRegion, logging, configuration } of await trails(sql).ofAccount(accountId))
      found.push({
        ...{ accountId, name, homeRegion, logging },
        multiRegion: configuration.IsMultiRegionTrail,
        organization: configuration.IsOrganizationTrail,
        fileValidation: configuration.LogFileValidationEnabled,
        bucket: configuration.S3BucketName,
      });
    for await (const item of chimeAccountsOf(sql, accountId)) {
      file.add(item);
      if (chime.length < LISTED_MAX) chime.push(item);
    }
  }
  file.close();
  return {
    eventHistoryDays: eventHistory.days,
    eventHistoryFrom: eventHistory.from,
    ownEventHistory: own.slice(0, LISTED_MAX),
    moreOwnEventHistory: Math.max(0, own.length - LISTED_MAX),
    trails: found.slice(0, LISTED_MAX),
    moreTrails: Math.max(0, found.length - LISTED_MAX),
    chimeAccounts: excerptOf(chime, file.count(), file),
  };
}

async function ownRetention(sql: Sql, accountIds: ReadonlySet<AccountId>): Promise<Retention['ownEventHistory']> {
  const own: { accountId: AccountId; days: number }[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: readonly { readonly accountId: AccountId; readonly days: number }[] = await trailRetention(sql).page(after, PAGE);
    own.push(...page.filter(({ accountId }) => accountIds.has(accountId)).map(({ accountId, days }) => ({ accountId, days })));
    after = page.length === PAGE ? page.at(-1)?.accountId : undefined;
  }
  return own;
}

async function* chimeAccountsOf(sql: Sql, accountId: AccountId): AsyncGenerator<Of<typeof CHIME_RETENTION_OF>> {
  for (let after: AccountPlace | undefined, more = true; more; ) {
    const page = await accounts(sql).list(accountId, PAGE, after);
    for (const { chimeAccountId, name, accountType, document } of page) {
      const { RoomRetentionSettings, ConversationRetentionSettings } = document.RetentionSettings ?? {};
      yield {
        ...{ accountId, chimeAccountId, name },
        type: accountType,
        ...omitUndefined({
          roomDays: RoomRetentionSettings?.RetentionDays,
          conversationDays: ConversationRetentionSettings?.RetentionDays,
        }),
      };
    }
    after = page.at(-1);
    more = page.length === PAGE;
  }
}
