/**
 * Permissions that Organizations operations require (`Access`): the resource ARNs, their tags, and the condition keys of the request.
 *
 * A request contains only IDs. An ARN also contains the IDs of the organization and its management account, which these functions read from
 * the store. If the caller's account is not in an organization, the ARNs contain the placeholder `o-0000000000`.
 *
 * Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Organizations".
 */
import type { Tag } from '#model/generated/organizations.ts';
import { ORGANIZATION_KEY } from '#store/identity/organization-records.ts';
import type { Tx } from '#store/store.ts';
import type { Access, Caller, DeclaredAccess } from '../kit/operation.ts';
import * as rules from '../kit/tag-rules.ts';
import { organizationOf, targetOf } from './lookup.ts';
import { anyPolicyArn, arnOf, type Owner } from './names.ts';

type Context = readonly (readonly [string, string | readonly string[]])[];

/** Returns the permission for an action that has no resource type. Its resource is `*`. */
export function onOrganization(context: Context = []): DeclaredAccess {
  return { resources: ['*'], ...contextOf(context) };
}

/** Returns the permission for an action on the resources with the IDs `ids`: the root, units, accounts or policies. */
export function onResources(caller: Caller, ids: readonly string[], context: Context = []): DeclaredAccess {
  return {
    resources: ids.map((id) => arnOf(placeholderOwner(caller), id)),
    resolve: async (tx) => {
      const owner = await ownerFor(tx, caller);
      return ids.map((id) => arnOf(owner, id));
    },
    resourceTags: async (tx) => {
      const tags = [];
      for (const id of ids) tags.push(await tagsOf(tx, caller, id));
      return tags;
    },
    ...contextOf(context),
  };
}

/** Returns the permission to create a policy. Its resource matches all policies, because a new policy has no ID yet. */
export function onNewPolicy(caller: Caller, context: Context): DeclaredAccess {
  return {
    resources: [anyPolicyArn(placeholderOwner(caller))],
    resolve: async (tx) => [anyPolicyArn(await ownerFor(tx, caller))],
    ...contextOf(context),
  };
}

/**
 * Returns the permission for an action on a handshake. The ARN of a handshake contains the inviting account, even if
 * the caller belongs to the invited account.
 */
export function onHandshake(caller: Caller, handshakeId: string): DeclaredAccess {
  return {
    resources: [arnOf(placeholderOwner(caller), handshakeId)],
    resolve: async (tx) => {
      const invitation = await tx.identity.get(caller.accountId, 'invitation', handshakeId);
      const handshake = await tx.identity.get(invitation?.managementAccountId ?? caller.accountId, 'handshake', handshakeId);
      return [arnOf(handshake ?? (await ownerFor(tx, caller)), handshakeId)];
    },
  };
}

/**
 * Adds the permission to tag a new resource if the request contains tags. Otherwise a caller without that permission could choose the tags
 * that later decisions depend on.
 *
 * Source: AWS Organizations User Guide, "Tagging AWS Organizations resources": adding tags while creating needs organizations:TagResource.
 * Assumed: the resource is `*`, because the new resource has no ID yet.
 */
export function withTagging(creation: DeclaredAccess, tags: readonly Tag[] | undefined): DeclaredAccess | readonly DeclaredAccess[] {
  const tagContext = requestTags(tags);
  return tagContext.length === 0 ? creation : [creation, { action: 'organizations:TagResource', ...onOrganization(tagContext) }];
}

/** Returns the condition keys of a request that adds tags. */
export function requestTags(tags: readonly Tag[] | undefined): Context {
  return rules.requestTags(rules.TAG_RULES.organizations, tags);
}

/** Returns the condition keys of a request that removes tags. */
export function requestTagKeys(keys: readonly string[]): Context {
  return rules.requestTagKeys(keys);
}

/**
 * Returns the condition key `organizations:PolicyType`. Operations on an existing policy use the default value, because
 * Belfry has only service control policies.
 */
export function policyTypeKey(policyType: string = 'SERVICE_CONTROL_POLICY'): Context {
  return [['organizations:policytype', policyType]];
}

/** Returns the placeholder IDs for ARNs, for a caller whose account is not in an organization. */
export function placeholderOwner(caller: Caller): Owner {
  return { accountId: caller.accountId, organizationId: 'o-0000000000' };
}

async function ownerFor(tx: Tx, caller: Caller): Promise<Owner> {
  return (await organizationOf(tx, caller.accountId)) ?? placeholderOwner(caller);
}

async function tagsOf(tx: Tx, caller: Caller, id: string): Promise<Readonly<Record<string, string>> | undefined> {
  const organization = await tx.identity.get(caller.accountId, 'organization', ORGANIZATION_KEY);
  if (organization === undefined) return undefined;
  const tagged = id.startsWith('p-')
    ? await tx.identity.get(caller.accountId, 'service-control-policy', id)
    : await targetOf(tx, organization, id);
  return tagged && rules.tagValues(tagged.tags);
}

function contextOf(entries: Context): Pick<Access, 'context'> {
  return entries.length === 0 ? {} : { context: new Map(entries) };
}
