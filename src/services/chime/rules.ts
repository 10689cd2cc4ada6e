/** Configuration rules about the accounts of Amazon Chime. */
import { counted } from '#core/counted.ts';
import type { ConfigurationRule, RuleResult } from '../kit/configuration-rule.ts';
import { evidence, ruleResult } from '../kit/rule-results.ts';
import { inParts } from '../kit/survey.ts';
import { isEnterprise } from './account-types.ts';
import { type AccountPlace, accounts } from './tables/accounts.ts';

/** Days of retention of an account. */
type Retention = readonly [id: string, name: string, room: number | undefined, conversation: number | undefined];

/** Number of accounts that one transaction reads. */
const ACCOUNTS = 50;

/**
 * Retention of messages. It has no managed rule in AWS Config, so the resource type is ours. Team accounts cannot set a retention and have
 * no result.
 */
const RETENTION: ConfigurationRule = {
  name: 'chime-retention-settings-enabled',
  description: 'Every Enterprise account of Amazon Chime deletes messages of rooms and conversations after a set number of days.',
  parameters: {},
  requirements: ['COMP-6', 'COMP-8'],
  async evaluate({ store, accountId }) {
    const results: RuleResult[] = [];
    const parts = inParts<Retention, AccountPlace | 'first'>(store, 'first', async (tx, after) => {
      const read = await tx.of(accounts).list(accountId, ACCOUNTS, after === 'first' ? undefined : after);
      const items = read.filter(isEnterprise).map(({ chimeAccountId, name, document: { RetentionSettings: settings } }) => {
        const { RoomRetentionSettings: rooms, ConversationRetentionSettings: conversations } = settings ?? {};
        return [chimeAccountId, name, rooms?.RetentionDays, conversations?.RetentionDays] as const;
      });
      const next = read[ACCOUNTS - 1];
      return { items, ...(next !== undefined && { next }) };
    });
    for await (const part of parts) {
      for (const [AccountId, name, room, conversation] of part) {
        const isSet = room !== undefined && conversation !== undefined;
        const annotation = `Account '${name}' keeps messages of rooms ${daysOf(room)} and of conversations ${daysOf(conversation)}.`;
        const action = 'chime:GetRetentionSettings';
        results.push(
          ruleResult({ type: 'AWS::Chime::Account', id: AccountId }, isSet, annotation, [
            evidence(action, { AccountId }, 'RetentionSettings.RoomRetentionSettings.RetentionDays', room),
            evidence(action, { AccountId }, 'RetentionSettings.ConversationRetentionSettings.RetentionDays', conversation),
          ]),
        );
      }
    }
    return results;
  },
};

const daysOf = (days: number | undefined): string => (days === undefined ? 'forever' : `for ${counted(days, 'day')}`);

export const CHIME_RULES: readonly ConfigurationRule[] = [RETENTION];
