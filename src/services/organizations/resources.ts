/**
 * What an operation of Organizations acts upon, as `access` answers it. A request has ids only: the ARN also names the organization and its
 * management account, which are read. Of an account that is in no organization the ARNs are of one that is not there.
 *
 * Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Organizations".
 */
import type { Tag } from '#model/generated/organizations.ts';
import { ORGANIZATION_KEY } from '#store/organization-records.ts';
import type { Tx } from '#store/store.ts';
import type { Access, Caller } from '../operation.ts';
import * as rules from '../tag-rules.ts';
import { organizationOf, targetOf } from './found.ts';
import { anyPolicyArn, arnOf, type Owner } from './names.ts';

type Action = Access['action'];
type Context = readonly (readonly [string, string | readonly string[]])[];

/** An action that no resource narrows. */
export function onOrganization(action: Action, context: Context = []): Access {
  return { action, resources: ['*'], ...contextOf(context) };
}

/** Things by id: the root, units, accounts, policies. */
export function onThings(action: Action, caller: Caller, ids: readonly string[], context: Context = []): Access {
  return {
    action,
    resources: ids.map((id) => arnOf(nowhere(caller), id)),
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

/** A policy that is being made: it has no id yet. */
export function onNewPolicy(action: Action, caller: Caller, context: Context): Access {
  return {
    action,
    resources: [anyPolicyArn(nowhere(caller))],
    resolve: async (tx) => [anyPolicyArn(await ownerFor(tx, caller))],
    ...contextOf(context),
  };
}

/** A handshake, which stands in the name of the account that invites, whichever of the two is calling. */
export function onHandshake(action: Action, caller: Caller, handshakeId: string): Access {
  return {
    action,
    resources: [arnOf(nowhere(caller), handshakeId)],
    resolve: async (tx) => {
      const invitation = await tx.identity.get(caller.accountId, 'invitation', handshakeId);
      const handshake = await tx.identity.get(invitation?.managementAccountId ?? caller.accountId, 'handshake', handshakeId);
      return [arnOf(handshake ?? (await ownerFor(tx, caller)), handshakeId)];
    },
  };
}

/**
 * What is made with tags is tagged too: whoever may only make it may not say by what it is decided about.
 *
 * Source: AWS Organizations User Guide, "Tagging AWS Organizations resources": adding tags while creating needs organizations:TagResource.
 * Assumed: on any resource, as what is made has no id yet.
 */
export function andTagged(made: Access, tags: readonly Tag[] | undefined): Access | readonly Access[] {
  const asked = requestTags(tags);
  return asked.length === 0 ? made : [made, onOrganization('organizations:TagResource', asked)];
}

/** The keys of a request that gives tags. */
export function requestTags(tags: readonly Tag[] | undefined): Context {
  return rules.requestTags(rules.TAG_RULES.organizations, tags);
}

export function requestTagKeys(keys: readonly string[]): Context {
  return rules.requestTagKeys(keys);
}

/** `organizations:PolicyType`; of a policy given by id it is the one type there is. */
export function policyTypeKey(policyType: string = 'SERVICE_CONTROL_POLICY'): Context {
  return [['organizations:policytype', policyType]];
}

function nowhere(caller: Caller): Owner {
  return { accountId: caller.accountId, organizationId: 'o-0000000000' };
}

async function ownerFor(tx: Tx, caller: Caller): Promise<Owner> {
  return (await organizationOf(tx, caller.accountId)) ?? nowhere(caller);
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
