/**
 * Tags of users, roles and managed policies.
 */
import type { IamApi, Tag } from '#model/generated/iam.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { entity } from './entities.ts';
import { managedPolicyToChange, managedPolicyToRead } from './managed-policies.ts';
import { nameKey } from './names.ts';
import { type Page, type PageRequest, pageOf } from './page.ts';
import { onEntity, onPolicy, onTagged, requestTagKeys, requestTags } from './resources.ts';
import { mergedTags, tagsWithout } from './tag-rules.ts';

/** Operations on tags of users, roles and managed policies. */
export const tagOperations = {
  TagUser: {
    access: (input, caller) => onTagged(caller, 'user', input.UserName, requestTags(input.Tags)),
    handle: (call, input) => changeTags(call, 'user', input.UserName, (tags) => mergedTags(tags, input.Tags)),
  },
  UntagUser: {
    access: (input, caller) => onTagged(caller, 'user', input.UserName, requestTagKeys(input.TagKeys)),
    handle: (call, input) => changeTags(call, 'user', input.UserName, (tags) => tagsWithout(tags, input.TagKeys)),
  },
  ListUserTags: {
    access: (input, caller) => onEntity(caller, 'user', input.UserName),
    handle: async (call, input) => pageOfTags(input, (await entity(call, 'user', input.UserName)).tags),
  },

  TagRole: {
    access: (input, caller) => onTagged(caller, 'role', input.RoleName, requestTags(input.Tags)),
    handle: (call, input) => changeTags(call, 'role', input.RoleName, (tags) => mergedTags(tags, input.Tags)),
  },
  UntagRole: {
    access: (input, caller) => onTagged(caller, 'role', input.RoleName, requestTagKeys(input.TagKeys)),
    handle: (call, input) => changeTags(call, 'role', input.RoleName, (tags) => tagsWithout(tags, input.TagKeys)),
  },
  ListRoleTags: {
    access: (input, caller) => onEntity(caller, 'role', input.RoleName),
    handle: async (call, input) => pageOfTags(input, (await entity(call, 'role', input.RoleName)).tags),
  },

  TagPolicy: {
    access: (input, caller) => onPolicy(caller, input.PolicyArn, requestTags(input.Tags)),
    handle: (call, input) => changePolicyTags(call, 'iam:TagPolicy', input.PolicyArn, (tags) => mergedTags(tags, input.Tags)),
  },
  UntagPolicy: {
    access: (input, caller) => onPolicy(caller, input.PolicyArn, requestTagKeys(input.TagKeys)),
    handle: (call, input) => changePolicyTags(call, 'iam:UntagPolicy', input.PolicyArn, (tags) => tagsWithout(tags, input.TagKeys)),
  },
  ListPolicyTags: {
    access: (input, caller) => onPolicy(caller, input.PolicyArn),
    handle: async (call, input) => pageOfTags(input, (await managedPolicyToRead(call, input.PolicyArn)).tags),
  },
} satisfies Partial<ServiceOperations<IamApi>>;

type Change = (tags: readonly TagRecord[]) => readonly TagRecord[];

/** Changes the tags of a user or role. Service-linked roles can be tagged like other roles. Requirement SLR-9. */
async function changeTags(call: Call, kind: 'user' | 'role', name: string, change: Change): Promise<Record<string, never>> {
  const record = await entity(call, kind, name);
  await call.tx.identity.put(call.accountId, kind, nameKey(name), { ...record, tags: change(record.tags) });
  return {};
}

async function changePolicyTags(call: Call, action: string, policyArn: string, change: Change): Promise<Record<string, never>> {
  const policy = await managedPolicyToChange(call, action, policyArn);
  await call.tx.identity.put(call.accountId, 'policy', nameKey(policy.policyName), { ...policy, tags: change(policy.tags) });
  return {};
}

/** Returns one page of tags, in the order of their keys. */
export function pageOfTags(request: PageRequest, tags: readonly TagRecord[]): { readonly Tags: readonly Tag[] } & Page<never>['rest'] {
  const page = pageOf(
    request,
    tags.map((tag) => ({ key: tag.key, record: { Key: tag.key, Value: tag.value } })),
  );
  return { Tags: page.records, ...page.rest };
}
