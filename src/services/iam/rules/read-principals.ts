/** Reads of the users, groups, roles and policies of an account for configuration rules, in short transactions. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AccessKeyRecord, AccountRecord, IdentityRecords } from '#store/identity/identity.ts';
import type { LastUse } from '#store/identity/last-use.ts';
import type { IdentitySummaries } from '#store/identity/record-parts.ts';
import type { Entry } from '#store/identity/repository.ts';
import type { Tx } from '#store/store.ts';
import type { RuleReading } from '../../kit/configuration-rule.ts';
import type { RuleResource } from '../../kit/rule-results.ts';
import { inParts } from '../../kit/survey.ts';

/** Number of summaries that one transaction reads. */
const SUMMARIES = 100;
/** Number of records with their policies that one transaction reads. A policy can have five versions of 12,288 characters. */
const RECORDS = 16;

/** Reads the record of the account. */
export function accountRecord({ store, accountId }: RuleReading): Promise<AccountRecord | undefined> {
  return store.transaction((tx) => tx.identity.get(accountId, 'account', accountId));
}

/** Yields lists of the records of a kind, with their policies. */
export function recordsOf<Kind extends 'user' | 'group' | 'role' | 'policy'>(
  { store, accountId }: RuleReading,
  kind: Kind,
): AsyncGenerator<readonly Entry<IdentityRecords[Kind]>[]> {
  return inParts(store, '', async (tx, after) => {
    const items = await tx.identity.list(accountId, kind, { after, limit: RECORDS });
    return omitUndefined({ items, next: items[RECORDS - 1]?.key });
  });
}

/** Yields lists of the summaries of a kind, each with the result of `more` in the same transaction. */
export function summariesOf<Kind extends 'user' | 'group', More>(
  { store, accountId }: RuleReading,
  kind: Kind,
  more: (tx: Tx, summary: IdentitySummaries[Kind]) => Promise<More>,
): AsyncGenerator<readonly (readonly [IdentitySummaries[Kind], More])[]> {
  return inParts(store, '', async (tx, after) => {
    const read = await tx.identity.summaries(accountId, kind, { after, limit: SUMMARIES });
    const items: (readonly [IdentitySummaries[Kind], More])[] = [];
    for (const { record } of read) items.push([record, await more(tx, record)]);
    return omitUndefined({ items, next: read[SUMMARIES - 1]?.key });
  });
}

/** An active access key with its last use. */
export interface ActiveKey {
  readonly key: AccessKeyRecord;
  readonly use: LastUse | undefined;
}

/** Reads the active access keys of a user. */
export async function activeKeys(tx: Tx, { accountId, accessKeyIds }: IdentitySummaries['user']): Promise<readonly ActiveKey[]> {
  const keys: ActiveKey[] = [];
  for (const id of accessKeyIds) {
    const key = await tx.identity.get(accountId, 'access-key', id);
    if (key?.status === 'Active') keys.push({ key, use: (await tx.lastUses.of(accountId, id))[0] });
  }
  return keys;
}

/** Returns a user as the resource of a result. */
export function userResource({ userId }: Pick<IdentitySummaries['user'], 'userId'>): RuleResource {
  return { type: 'AWS::IAM::User', id: userId };
}
