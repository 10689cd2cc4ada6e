/** Policies that a user or role has at present, for a suggested policy that replaces them. */
import { type AccountId, type Arn, parseArn } from '#core/arn.ts';
import { inCurrentVersion } from '#policy/current-version.ts';
import type { GroupRecord, RoleRecord, UserRecord } from '#store/identity/identity.ts';
import { managedPolicyDocument } from '../managed.ts';
import type { Snapshot } from '../snapshot.ts';

/** Statement of a policy in JSON. */
export type PolicyStatement = Readonly<Record<string, unknown>> & { readonly Effect: string };

type Holder = UserRecord | GroupRecord | RoleRecord;

/**
 * Returns the texts of the identity policies of a user or role, and of the groups of a user, without repetition. Returns `undefined` if
 * the user or role does not exist. Does not compile them.
 */
export function presentPolicies(snapshot: Snapshot, holderArn: string): readonly string[] | undefined {
  const holder = recordOfHolder(snapshot, holderArn);
  if (holder === undefined) return undefined;
  const groupIds = 'groupIds' in holder ? holder.groupIds : [];
  const groups = groupIds.flatMap((groupId) => snapshot.groupById(holder.accountId, groupId) ?? []);
  return [...new Set([holder, ...groups].flatMap((each) => textsOf(snapshot, each)))];
}

/** Returns the unique ID of a user or role, under which its last uses are stored. Returns `undefined` if the user or role does not exist. */
export function uniqueIdOf(snapshot: Snapshot, holderArn: string): string | undefined {
  const holder = recordOfHolder(snapshot, holderArn);
  return holder && ('userId' in holder ? holder.userId : holder.roleId);
}

function recordOfHolder(snapshot: Snapshot, holderArn: string): UserRecord | RoleRecord | undefined {
  const { accountId = '', resource = '' } = parseArn(holderArn) ?? {};
  const name = resource.slice(resource.lastIndexOf('/') + 1);
  const found = resource.startsWith('user/') ? snapshot.user(accountId as AccountId, name) : snapshot.role(accountId as AccountId, name);
  return found?.arn === holderArn ? found : undefined;
}

function textsOf(snapshot: Snapshot, { attachedPolicyArns, inlinePolicies }: Holder): readonly string[] {
  return [...attachedPolicyArns.flatMap((each) => textOfManaged(snapshot, each) ?? []), ...Object.values(inlinePolicies)];
}

function textOfManaged(snapshot: Snapshot, policyArn: Arn): string | undefined {
  const record = snapshot.policy(policyArn);
  const version = record?.versions.find(({ versionId }) => versionId === record.defaultVersionId);
  return managedPolicyDocument(policyArn)?.document ?? version?.document;
}

/** Returns the Deny statements of policies, in the current version of the policy language. They have no Sid twice, because a policy must not have it. */
export function denialsOf(texts: readonly string[]): readonly PolicyStatement[] {
  const sids = new Set<unknown>();
  const known = new Set<string>();
  return texts.flatMap((text) => {
    const denials = statementsIn(inCurrentVersion(text)).filter(({ Effect }) => Effect === 'Deny');
    return denials.flatMap(({ Sid, ...rest }) => {
      const key = JSON.stringify(rest);
      if (known.has(key)) return [];
      known.add(key);
      const unique = (sids.has(Sid) || Sid === undefined ? rest : { Sid, ...rest }) as PolicyStatement;
      sids.add(Sid);
      return [unique];
    });
  });
}

/** Returns the condition keys that the Allow statements of policies test, without repetition, as the last of the statements formats them. */
export function allowedConditionKeys(texts: readonly string[]): readonly string[] {
  const keys = texts
    .flatMap(statementsIn)
    .filter(({ Effect }) => Effect === 'Allow')
    .flatMap(({ Condition = {} }) => Object.values(Condition as Readonly<Record<string, object>>).flatMap(Object.keys));
  const formatted = new Map(keys.map((key) => [key.toLowerCase(), key]));
  return [...formatted].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
}

function statementsIn(text: string): readonly PolicyStatement[] {
  const { Statement } = JSON.parse(text) as { readonly Statement: unknown };
  return [Statement].flat() as readonly PolicyStatement[];
}
