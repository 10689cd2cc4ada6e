import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeApi, GetRetentionSettingsResponse, RetentionSettings } from '#model/generated/chime.ts';
import { RETENTION_GRACE_MS, storeRetention } from '../chime-kit/chime-retention.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { requireEnterprise } from './account-types.ts';
import { accountOrNotFound } from './stored-accounts.ts';
import { type AccountDocument, type AccountRecord, accounts } from './tables/accounts.ts';

const NEVER: RetentionSettings = { RoomRetentionSettings: {}, ConversationRetentionSettings: {} };

/** Retention of messages in an Enterprise account. Source: chime 2018-05-01; chime.md §5. */
export const retentionOperations = {
  /** Assumed: before the first PutRetentionSettings, both groups are empty. @throws NotFoundException  the account does not exist */
  GetRetentionSettings: {
    handle: async (call, { AccountId }) => toResponse((await accountOrNotFound(call, AccountId)).document),
  },

  /**
   * Sets the retention of rooms and of conversations. Messaging applies it (Decision 0041). A group without days, or an absent group, keeps its messages forever.
   *
   * Source: Chime API reference, PutRetentionSettings: Enterprise accounts only; the group without `RetentionDays` turns retention off.
   * Assumed: (1) the code for a Team account. (2) A request that changes nothing does not restart the 30 days. (3) An absent group is off.
   * @throws NotFoundException    the account does not exist
   * @throws BadRequestException  the account is a Team account
   */
  PutRetentionSettings: {
    async handle(call, { AccountId, RetentionSettings: { RoomRetentionSettings = {}, ConversationRetentionSettings = {} } }) {
      const account = await accountOrNotFound(call, AccountId);
      requireEnterprise(account);
      const changed = { RoomRetentionSettings, ConversationRetentionSettings };
      const after = withRetention(account, changed, call.now);
      await call.tx.of(accounts).put(after);
      await storeRetention(call, after, after.document);
      return {};
    },
  },
} satisfies Partial<ServiceOperations<ChimeApi>>;

function withRetention(account: AccountRecord, changed: RetentionSettings, now: Instant): AccountRecord {
  const { RetentionSettings: before = NEVER, retentionSetAt = now } = account.document;
  const isSame =
    before.RoomRetentionSettings?.RetentionDays === changed.RoomRetentionSettings?.RetentionDays &&
    before.ConversationRetentionSettings?.RetentionDays === changed.ConversationRetentionSettings?.RetentionDays;
  return { ...account, document: { ...account.document, RetentionSettings: changed, retentionSetAt: isSame ? retentionSetAt : now } };
}

function toResponse({ RetentionSettings: settings = NEVER, retentionSetAt }: AccountDocument): GetRetentionSettingsResponse {
  const { RoomRetentionSettings, ConversationRetentionSettings } = settings;
  const isOn = RoomRetentionSettings?.RetentionDays !== undefined || ConversationRetentionSettings?.RetentionDays !== undefined;
  return omitUndefined({
    RetentionSettings: settings,
    InitiateDeletionTimestamp: isOn && retentionSetAt !== undefined ? instant(retentionSetAt + RETENTION_GRACE_MS) : undefined,
  });
}
