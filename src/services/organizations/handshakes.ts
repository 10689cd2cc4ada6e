/**
 * Invitations. The management account invites another account of this server, which accepts or declines.
 */
import { type AccountId, isAccountId } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Handshake, HandshakeFilter, OrganizationsApi } from '#model/generated/organizations.ts';
import { type HandshakeRecord, ORGANIZATION_KEY } from '#store/identity/organization-records.ts';
import type { Tx } from '#store/store.ts';
import type { Call, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { emailKey } from './account-creation.ts';
import { endHandshake, HANDSHAKE_LIFE_MS, openHandshakes, stateOf } from './handshake-states.ts';
import { managedOrganization, organizationOf } from './lookup.ts';
import { hasRoom, join } from './membership.ts';
import { accountArn, handshakeArn, newHandshakeId } from './names.ts';
import { pageOf, pageOfStored } from './page.ts';
import { QUOTAS } from './quotas.ts';
import { constraintViolation, handshakeViolation, invalidInput, refusal } from './refusals.ts';
import { onHandshake, onOrganization, placeholderOwner, requestTags, withTagging } from './resources.ts';
import { emailOf } from './shapes.ts';
import { mergedTags } from './tag-rules.ts';

/** Operations on invitations. */
export const handshakeOperations = {
  /** Invites an account. Assumed: the target must be an account of this server, because other accounts could not accept. */
  InviteAccountToOrganization: {
    access: (input, caller) => {
      const placeholder = placeholderOwner(caller);
      const invite: DeclaredAccess = {
        ...onOrganization(requestTags(input.Tags)),
        resources: [accountArn(placeholder, input.Target.Id)],
        resolve: async (tx) => {
          const owner = (await organizationOf(tx, caller.accountId)) ?? placeholder;
          return [accountArn(owner, (await invitedAccount(tx, input.Target)) ?? input.Target.Id)];
        },
      };
      return withTagging(invite, input.Tags);
    },
    async handle(call, input) {
      const organization = await managedOrganization(call);
      const { tx, accountId } = call;
      const tags = mergedTags([], input.Tags);
      if (input.Target.Type === 'ORGANIZATION')
        throw invalidInput('INVALID_PARTY_TYPE_TARGET', 'The type of the target must be ACCOUNT or EMAIL.');
      const invitedId = await invitedAccount(tx, input.Target);
      if (invitedId === undefined) throw invalidInput('TARGET_NOT_SUPPORTED', 'The account that you invite is not on this server.');
      if ((await organizationOf(tx, invitedId)) !== undefined) throw alreadyInOrganization();
      const open = await openHandshakes(call);
      if (open.some((handshake) => handshake.invitedId === invitedId)) throw refusal('DuplicateHandshakeException');
      if (open.length >= QUOTAS.openHandshakes) {
        throw constraintViolation('HANDSHAKE_RATE_LIMIT_EXCEEDED', `You have the maximum of ${QUOTAS.openHandshakes} open invitations.`);
      }
      const handshake: HandshakeRecord = {
        accountId,
        handshakeId: newHandshakeId(call.random),
        organizationId: organization.organizationId,
        invitedId,
        state: 'OPEN',
        requestedAt: call.now,
        expiresAt: instant(call.now + HANDSHAKE_LIFE_MS),
        ...omitUndefined({ notes: input.Notes }),
        tags,
      };
      await tx.identity.put(accountId, 'handshake', handshake.handshakeId, handshake);
      await tx.identity.put(accountId, 'open-handshake', handshake.handshakeId, { accountId });
      await tx.identity.put(invitedId, 'invitation', handshake.handshakeId, { accountId: invitedId, managementAccountId: accountId });
      return { Handshake: await toHandshake(tx, handshake, call.now) };
    },
  },

  /**
   * Adds the caller's account to the organization that sent the invitation. The policies of the organization apply to
   * the account from the next request on.
   */
  AcceptHandshake: {
    access: (input, caller) => onHandshake(caller, input.HandshakeId),
    async handle(call, input) {
      const { tx, accountId } = call;
      const handshake = await receivedHandshake(call, input.HandshakeId);
      if (stateOf(handshake, call.now) === 'OPEN' && (await organizationOf(tx, accountId)) !== undefined) throw alreadyInOrganization();
      const ended = await endHandshake(call, handshake, 'ACCEPTED');
      const organization = await tx.identity.get(handshake.accountId, 'organization', ORGANIZATION_KEY);
      if (organization?.organizationId !== handshake.organizationId) throw refusal('InvalidHandshakeTransitionException');
      if (!(await hasRoom(call, organization))) {
        throw handshakeViolation('ACCOUNT_NUMBER_LIMIT_EXCEEDED', 'The organization has the maximum number of accounts.');
      }
      await join(call, organization, accountId, 'INVITED', handshake.tags);
      return { Handshake: await toHandshake(tx, ended, call.now) };
    },
  },

  DeclineHandshake: {
    access: (input, caller) => onHandshake(caller, input.HandshakeId),
    async handle(call, input) {
      const ended = await endHandshake(call, await receivedHandshake(call, input.HandshakeId), 'DECLINED');
      return { Handshake: await toHandshake(call.tx, ended, call.now) };
    },
  },

  CancelHandshake: {
    access: (input, caller) => onHandshake(caller, input.HandshakeId),
    async handle(call, input) {
      const ended = await endHandshake(call, await sentHandshake(call, input.HandshakeId), 'CANCELED');
      return { Handshake: await toHandshake(call.tx, ended, call.now) };
    },
  },

  /** Returns an invitation. The inviting account and the invited account can call this operation. */
  DescribeHandshake: {
    access: (input, caller) => onHandshake(caller, input.HandshakeId),
    async handle(call, input) {
      const own = await call.tx.identity.get(call.accountId, 'handshake', input.HandshakeId);
      const handshake = own ?? (await receivedHandshake(call, input.HandshakeId));
      return { Handshake: await toHandshake(call.tx, handshake, call.now) };
    },
  },

  ListHandshakesForAccount: {
    async handle(call, input) {
      const { tx, accountId } = call;
      const page = await pageOfStored(tx.identity, input, async (after, limit) => {
        const entries = await tx.identity.list(accountId, 'invitation', omitUndefined({ after, limit }));
        return entries.map(({ key, record }) => ({ key, record: { handshakeId: key, managementAccountId: record.managementAccountId } }));
      });
      const handshakes: Handshake[] = [];
      for (const { handshakeId, managementAccountId } of matchesInvitations(input.Filter) ? page.records : []) {
        const handshake = await tx.identity.get(managementAccountId, 'handshake', handshakeId);
        if (handshake !== undefined) handshakes.push(await toHandshake(tx, handshake, call.now));
      }
      return { Handshakes: handshakes, ...page.rest };
    },
  },

  ListHandshakesForOrganization: {
    async handle(call, input) {
      await managedOrganization(call);
      const page = matchesInvitations(input.Filter)
        ? await pageOfStored(call.tx.identity, input, (after, limit) =>
            call.tx.identity.list(call.accountId, 'handshake', omitUndefined({ after, limit })),
          )
        : pageOf<HandshakeRecord>(input, []);
      const handshakes: Handshake[] = [];
      for (const handshake of page.records) handshakes.push(await toHandshake(call.tx, handshake, call.now));
      return { Handshakes: handshakes, ...page.rest };
    },
  },
} satisfies Partial<ServiceOperations<OrganizationsApi>>;

/** Returns the account with an ID or email address, or `undefined` if this server has no such account. */
async function invitedAccount(tx: Tx, target: { readonly Id: string; readonly Type: string }): Promise<AccountId | undefined> {
  const accountId = target.Type === 'EMAIL' ? await tx.meta.get(emailKey(target.Id)) : target.Id;
  if (accountId === undefined || !isAccountId(accountId)) return undefined;
  return (await tx.identity.get(accountId, 'account', accountId))?.accountId;
}

/** Reports whether a filter matches invitations, which are the only kind of handshake. */
function matchesInvitations(filter: HandshakeFilter | undefined): boolean {
  return (filter?.ActionType ?? 'INVITE') === 'INVITE' && filter?.ParentHandshakeId === undefined;
}

/**
 * Returns an invitation that the caller's account received.
 *
 * @throws HandshakeNotFoundException  the caller's account has not received this invitation
 */
async function receivedHandshake(call: Call, handshakeId: string): Promise<HandshakeRecord> {
  const invitation = await call.tx.identity.get(call.accountId, 'invitation', handshakeId);
  const handshake = invitation && (await call.tx.identity.get(invitation.managementAccountId, 'handshake', handshakeId));
  if (handshake === undefined) throw refusal('HandshakeNotFoundException');
  return handshake;
}

/**
 * Returns an invitation that the caller's account sent.
 *
 * @throws HandshakeNotFoundException  the caller's account has not sent this invitation
 */
async function sentHandshake(call: Call, handshakeId: string): Promise<HandshakeRecord> {
  const handshake = await call.tx.identity.get(call.accountId, 'handshake', handshakeId);
  if (handshake === undefined) throw refusal('HandshakeNotFoundException');
  return handshake;
}

function alreadyInOrganization() {
  return handshakeViolation('ALREADY_IN_AN_ORGANIZATION', 'The account is already a member of an organization.');
}

async function toHandshake(tx: Tx, handshake: HandshakeRecord, now: Instant): Promise<Handshake> {
  const { accountId, handshakeId, organizationId, invitedId, notes } = handshake;
  const inviting = await tx.identity.get(accountId, 'account', accountId);
  const organization = await tx.identity.get(accountId, 'organization', ORGANIZATION_KEY);
  return {
    Id: handshakeId,
    Arn: handshakeArn(handshake, handshakeId),
    Parties: [
      { Id: organizationId.slice(2), Type: 'ORGANIZATION' },
      { Id: invitedId, Type: 'ACCOUNT' },
    ],
    State: stateOf(handshake, now),
    RequestedTimestamp: handshake.requestedAt,
    ExpirationTimestamp: handshake.expiresAt,
    Action: 'INVITE',
    Resources: [
      {
        Value: organizationId,
        Type: 'ORGANIZATION',
        Resources: [
          { Value: emailOf(inviting ?? { accountId }), Type: 'MASTER_EMAIL' },
          { Value: inviting?.name ?? accountId, Type: 'MASTER_NAME' },
          { Value: organization?.featureSet ?? 'ALL', Type: 'ORGANIZATION_FEATURE_SET' },
        ],
      },
      { Value: invitedId, Type: 'ACCOUNT' },
      ...(notes === undefined ? [] : [{ Value: notes, Type: 'NOTES' } as const]),
    ],
  };
}
