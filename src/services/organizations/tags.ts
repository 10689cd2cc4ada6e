/**
 * Tags of the root, units, accounts and policies.
 */
import type { OrganizationsApi } from '#model/generated/organizations.ts';
import { FULL_AWS_ACCESS } from '#policy/full-aws-access.ts';
import type { TagRecord } from '#store/tag-record.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { managedOrganization, targetOf } from './lookup.ts';
import { pageOf } from './page.ts';
import { invalidInput, refusal } from './refusals.ts';
import { onResources, policyTypeKey, requestTagKeys, requestTags } from './resources.ts';
import { mergedTags, tagsWithout } from './tag-rules.ts';

/** Operations on tags. */
export const tagOperations = {
  TagResource: {
    access: (input, caller) => onResources(caller, [input.ResourceId], [...requestTags(input.Tags), ...typeOf(input.ResourceId)]),
    async handle(call, input) {
      const { tags, put } = await tagged(call, input.ResourceId);
      await put(mergedTags(tags, input.Tags));
      return {};
    },
  },

  UntagResource: {
    access: (input, caller) => onResources(caller, [input.ResourceId], [...requestTagKeys(input.TagKeys), ...typeOf(input.ResourceId)]),
    async handle(call, input) {
      const { tags, put } = await tagged(call, input.ResourceId);
      await put(tagsWithout(tags, input.TagKeys));
      return {};
    },
  },

  ListTagsForResource: {
    access: (input, caller) => onResources(caller, [input.ResourceId], typeOf(input.ResourceId)),
    async handle(call, input) {
      const { tags } = await tagged(call, input.ResourceId);
      const page = pageOf(
        { MaxResults: tags.length + 1, ...input },
        tags.map((tag) => ({ key: tag.key, record: { Key: tag.key, Value: tag.value } })),
      );
      return { Tags: page.records, ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<OrganizationsApi>>;

/**
 * Returns the tags of a resource, and a function that replaces them.
 *
 * @throws InvalidInputException    the resource is the policy FullAWSAccess, which AWS manages
 * @throws TargetNotFoundException  the resource does not exist
 */
async function tagged(
  call: Call,
  id: string,
): Promise<{ readonly tags: readonly TagRecord[]; readonly put: (tags: readonly TagRecord[]) => Promise<void> }> {
  const organization = await managedOrganization(call);
  if (id === FULL_AWS_ACCESS.policyId) throw invalidInput('TARGET_NOT_SUPPORTED', 'You cannot tag an AWS managed policy.');
  if (id.startsWith('p-')) {
    const policy = await call.tx.identity.get(call.accountId, 'service-control-policy', id);
    if (policy === undefined) throw refusal('TargetNotFoundException');
    return { tags: policy.tags, put: (tags) => call.tx.identity.put(call.accountId, 'service-control-policy', id, { ...policy, tags }) };
  }
  const target = await targetOf(call.tx, organization, id);
  if (target === undefined) throw refusal('TargetNotFoundException');
  return { tags: target.tags, put: (tags) => target.put({ tags }) };
}

function typeOf(id: string) {
  return id.startsWith('p-') ? policyTypeKey() : [];
}
