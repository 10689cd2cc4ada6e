/** Selection of the role whose credentials people get when they sign in. `docs/own-operations.md` describes the operations. */
import { OWN_AUDIENCE, USER_ID_TAG } from '#access/own-issuer.ts';
import { type AccountId, parseArn } from '#core/arn.ts';
import type { ChimeApi, PeopleRole } from '#model/generated/chime.ts';
import { appInstanceArn } from '../chime-kit/app-instances.ts';
import { CHIME_REGION, chimeAppInstance } from '../chime-kit/chime-app-instance.ts';
import { inlinePolicyOperations } from '../iam/inline-policies.ts';
import { iamArn, nameKey } from '../iam/names.ts';
import { oidcProviderOperations } from '../iam/oidc-providers.ts';
import { onPassRole } from '../iam/pass-role.ts';
import { roleOperations } from '../iam/roles.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import type { ChimeDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { PEOPLE_ROLE, peopleRoleKey } from './people-role.ts';
import { badRequest } from './stored-accounts.ts';

/** Name of the role that ResetAccountResource creates. */
const ROLE_NAME = 'AmazonChimePeople';
const POLICY_NAME = 'OwnMessages';
/**
 * Value of `iam:PassedToService`. No service assumes the role: the server exchanges a token for its credentials (ROLE-16).
 * Assumed: the value, as AWS has no such operation.
 */
const PASSED_TO = 'chime.amazonaws.com';

/** Operations on messages that a person calls as the app instance user of their session tag. */
const OWN_ACTIONS = [
  ...['Connect', 'CreateChannel', 'DescribeChannel', 'DescribeChannelMembership', 'ListChannelMemberships', 'ListChannelMessages'],
  ...['ListChannelMembershipsForAppInstanceUser', 'DescribeChannelMembershipForAppInstanceUser', 'GetChannelMessage'],
  ...['GetChannelMessageStatus', 'SendChannelMessage', 'UpdateChannelMessage', 'RedactChannelMessage', 'UpdateChannelReadMarker'],
  ...['GetChannelMembershipPreferences', 'PutChannelMembershipPreferences'],
].map((name) => `chime:${name}`);

/**
 * The account resource. Source: Service Authorization Reference, Amazon Chime: the actions, without an explanation.
 * Specific to Belfry: it is the role of people. The permission for it is required besides those of IAM (ROLE-15).
 */
export function peopleRoleOperations({ issuerUrl }: Pick<ChimeDeps, 'issuerUrl'>) {
  return {
    GetAccountResource: {
      async handle(call) {
        const stored = await call.tx.resources.get(PEOPLE_ROLE, peopleRoleKey(call.accountId));
        const issuer = { IssuerUrl: issuerUrl(call.accountId), Audience: OWN_AUDIENCE };
        if (stored === undefined) return issuer;
        return { Role: { ...stored.document, SelectedTimestamp: stored.updatedAt }, ...issuer };
      },
    },

    /** Also requires iam:PassRole (`PASSED_ROLES`). @throws BadRequestException  the role does not exist in the AWS account */
    UpdateAccountResource: {
      async handle(call, { RoleArn }) {
        const name = parseArn(RoleArn)?.resource.split('/').at(-1) ?? '';
        if ((await call.tx.identity.get(call.accountId, 'role', nameKey(name)))?.arn !== RoleArn)
          throw badRequest('The AWS account has no such role.');
        return { Role: await select(call, RoleArn, issuerUrl(call.accountId)) };
      },
    },

    /**
     * Creates the role and, if it does not exist, the provider of its tokens.
     *
     * @throws ConflictException   a role with this name exists
     * @throws ForbiddenException  the provider has other audiences, and the caller may not add one
     */
    ResetAccountResource: {
      access: (_, caller) => resetAccess(caller, issuerUrl(caller.accountId)),
      async handle(call) {
        const { accountId } = call;
        if ((await call.tx.identity.get(accountId, 'role', nameKey(ROLE_NAME))) !== undefined)
          throw new AwsError('ConflictException', `The role '${ROLE_NAME}' exists already. Select it with UpdateAccountResource.`);
        const Url = issuerUrl(accountId);
        const url = Url.slice('https://'.length);
        const provider = await call.tx.identity.get(accountId, 'oidc-provider', url);
        if (provider === undefined)
          await oidcProviderOperations.CreateOpenIDConnectProvider.handle(call, { Url, ClientIDList: [OWN_AUDIENCE] });
        else if (!provider.clientIds.includes(OWN_AUDIENCE)) await addAudience(call, provider.arn);
        const AssumeRolePolicyDocument = JSON.stringify(trustOf(providerArn(accountId, url), url));
        const Description = 'Allows people of Amazon Chime to use their own messages.';
        await roleOperations.CreateRole.handle(call, { RoleName: ROLE_NAME, AssumeRolePolicyDocument, Description });
        const PolicyDocument = JSON.stringify(ownMessages(accountId));
        await inlinePolicyOperations.PutRolePolicy.handle(call, { RoleName: ROLE_NAME, PolicyName: POLICY_NAME, PolicyDocument });
        return { Role: await select(call, roleArn(accountId), Url) };
      },
    },
  } satisfies Partial<ServiceOperations<ChimeApi>>;
}

/** Adds the audience of people to a provider that exists. The caller needs the permission of IAM, as for a call of IAM. */
async function addAudience(call: Call, provider: string): Promise<void> {
  const action = 'iam:AddClientIDToOpenIDConnectProvider';
  if (!(await call.allows({ action, resources: [provider] }, true)))
    throw new AwsError('ForbiddenException', `The provider '${provider}' lacks the audience of people. To add it, you need ${action}.`);
  const input = { OpenIDConnectProviderArn: provider, ClientID: OWN_AUDIENCE };
  await oidcProviderOperations.AddClientIDToOpenIDConnectProvider.handle(call, input);
}

/** Returns the permissions of the steps of ResetAccountResource, which the caller could call one by one. */
function resetAccess({ accountId }: Caller, issuer: string): readonly DeclaredAccess[] {
  const role = roleArn(accountId);
  return [
    { resources: ['*'] },
    { action: 'iam:CreateOpenIDConnectProvider', resources: [providerArn(accountId, issuer.slice('https://'.length))] },
    { action: 'iam:CreateRole', resources: [role] },
    { action: 'iam:PutRolePolicy', resources: [role] },
    onPassRole(role, PASSED_TO),
  ];
}

function roleArn(accountId: AccountId): string {
  return iamArn(accountId, 'role', '/', ROLE_NAME);
}

function providerArn(accountId: AccountId, url: string): string {
  return `arn:aws:iam::${accountId}:oidc-provider/${url}`;
}

function trustOf(provider: string, url: string): object {
  const Principal = { Federated: provider };
  const Condition = { StringEquals: { [`${url}:aud`]: OWN_AUDIENCE } };
  const Action = ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'];
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action, Condition }] };
}

function ownMessages(accountId: AccountId): object {
  const { appInstanceId } = chimeAppInstance(accountId);
  const inInstance = appInstanceArn({ accountId, region: CHIME_REGION }, appInstanceId);
  const Resource = [`${inInstance}/user/\${aws:PrincipalTag/${USER_ID_TAG}}`, `${inInstance}/channel/*`];
  const Statement = [
    { Effect: 'Allow', Action: OWN_ACTIONS, Resource },
    { Effect: 'Allow', Action: 'chime:GetMessagingSessionEndpoint', Resource: '*' },
  ];
  return { Version: '2012-10-17', Statement };
}

async function select(call: Call, RoleArn: string, IssuerUrl: string): Promise<PeopleRole> {
  const { tx, now, accountId } = call;
  const record = { ...peopleRoleKey(accountId), createdAt: now, updatedAt: now, tags: [], document: { RoleArn, IssuerUrl } };
  if ((await tx.resources.put(PEOPLE_ROLE, record)) === 'absent') await tx.resources.add(PEOPLE_ROLE, record);
  return { ...record.document, SelectedTimestamp: now };
}
