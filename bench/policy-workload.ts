// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
import { managedPolicies } from '#model/managed-policies.ts';

/**
 * Workload for the comparison of policy engines. It has 20 policies: 6 AWS managed policies for Amazon Chime, and 14 with common conditions.
 * Each of 1,000 principals has 1 to 5 policies. There are 10,000 distinct requests with 16 context keys. Every run has the same workload.
 */

export interface WorkloadPrincipal {
  readonly name: string;
  /** Identity-based policies of the principal, as indexes into `policies`. */
  readonly identity: readonly number[];
  /**
   * Boundary and session policy, as indexes into `policies`. Only track B, the variant with all policy types, uses
   * them.
   */
  readonly boundary?: number;
  readonly session?: number;
}

export interface WorkloadRequest {
  readonly principal: number;
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string>>;
}

export interface Workload {
  readonly policies: readonly { readonly name: string; readonly text: string }[];
  readonly serviceControl: readonly string[];
  readonly principals: readonly WorkloadPrincipal[];
  readonly requests: readonly WorkloadRequest[];
}

const ACCOUNT = '123456789012';
const CHIME = `arn:aws:chime:us-east-1:${ACCOUNT}`;

const MANAGED = [
  ...['AmazonChimeFullAccess', 'AmazonChimeReadOnly', 'AmazonChimeUserManagement', 'AmazonChimeSDK', 'AmazonChimeServiceRolePolicy'],
  'AmazonChimeVoiceConnectorServiceLinkedRolePolicy',
];

type Statement = Readonly<Record<string, unknown>>;

const allow = (Action: string | string[], Resource: string | string[], Condition?: unknown): Statement => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...(Condition === undefined ? {} : { Condition }),
});
const deny = (Action: string | string[], Resource: string | string[], Condition?: unknown): Statement => ({
  ...allow(Action, Resource, Condition),
  Effect: 'Deny',
});

const CUSTOM: Readonly<Record<string, readonly Statement[]>> = {
  ownUser: [
    allow(['chime:SendChannelMessage', 'chime:ListChannels', 'chime:DescribeChannel'], `${CHIME}:app-instance/*/user/\${aws:username}`),
    allow(['chime:SendChannelMessage', 'chime:DescribeChannel'], `${CHIME}:app-instance/*/channel/*`),
  ],
  ownTeam: [allow('chime:*', `${CHIME}:app-instance/\${aws:PrincipalTag/team}/*`)],
  office: [deny('*', '*', { NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '192.0.2.0/24', '2001:db8::/32'] } })],
  mfa: [deny(['chime:Delete*', 'iam:Delete*', 'iam:Put*'], '*', { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } })],
  region: [deny('chime:*', '*', { StringNotEquals: { 'aws:RequestedRegion': ['us-east-1', 'eu-central-1'] } })],
  trial: [allow('chime:*Meeting*', `${CHIME}:meeting/*`, { DateLessThan: { 'aws:CurrentTime': '2027-01-01T00:00:00Z' } })],
  tls: [deny('*', '*', { Bool: { 'aws:SecureTransport': 'false' } })],
  organization: [allow('chime:Get*', '*', { StringEquals: { 'aws:PrincipalOrgID': 'o-abcdef1234' } })],
  roles: [allow(['iam:Get*', 'iam:List*'], '*', { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:user/ops/*` } })],
  agents: [allow('chime:List*', '*', { StringLike: { 'aws:UserAgent': ['aws-cli/*', 'Boto3/*', '*console*'] } })],
  freshMfa: [allow('iam:*', `arn:aws:iam::${ACCOUNT}:user/*`, { NumericLessThan: { 'aws:MultiFactorAuthAge': '14400' } })],
  notIam: [{ Effect: 'Allow', NotAction: ['iam:*', 'sts:*'], Resource: `${CHIME}:*` }],
  notArchive: [{ Effect: 'Deny', Action: 'chime:*', NotResource: [`${CHIME}:*`, 'arn:aws:chime:eu-central-1:*:*', '*'] }],
  protect: [
    deny(['chime:DeleteChannel', 'chime:DeleteAppInstance'], `${CHIME}:app-instance/prod*`),
    allow(['chime:CreateChannel', 'chime:UpdateChannel', 'chime:DeleteChannel'], `${CHIME}:app-instance/*/channel/*`),
  ],
};

const SERVICE_CONTROL: readonly (readonly Statement[])[] = [
  [allow('*', '*')],
  [
    allow(['chime:*', 'iam:*', 'sts:*'], '*'),
    deny('chime:*Domain*', '*'),
    deny('*', '*', { StringEquals: { 'aws:RequestedRegion': 'ap-east-1' } }),
  ],
];

const ACTIONS = [
  ...[
    'SendChannelMessage',
    'ListChannels',
    'DescribeChannel',
    'CreateChannel',
    'UpdateChannel',
    'DeleteChannel',
    'CreateChannelMembership',
  ],
  ...[
    'CreateMeeting',
    'GetMeeting',
    'DeleteMeeting',
    'ListMeetings',
    'CreateAttendee',
    'BatchCreateAttendee',
    'ListAttendees',
    'GetAttendee',
  ],
  ...[
    'ListUsers',
    'GetUser',
    'InviteUsers',
    'UpdateUser',
    'ListAccounts',
    'GetAccount',
    'CreateAccount',
    'DeleteAccount',
    'SearchAvailablePhoneNumbers',
  ],
  ...['CreateAppInstance', 'DeleteAppInstance', 'DescribeAppInstance', 'ListAppInstances', 'AddDomain', 'TagResource'],
].map((name) => `chime:${name}`);
const IAM_ACTIONS = ['GetUser', 'ListUsers', 'PutUserPolicy', 'DeleteUser', 'CreateRole', 'GetRole', 'ListRoles', 'TagUser'].map(
  (name) => `iam:${name}`,
);

const RESOURCES = [
  ...['red', 'blue', 'prod1', 'green'].flatMap((app) => [
    ...[1, 2, 3, 4, 5, 6].map((n) => `${CHIME}:app-instance/${app}/channel/c${n}-0d5c1a2e-8a3b`),
    ...[7, 77, 177, 500].map((n) => `${CHIME}:app-instance/${app}/user/user${n}`),
    `${CHIME}:app-instance/${app}`,
  ]),
  ...[1, 2, 3, 4].map((n) => `${CHIME}:meeting/m${n}-7f1e55a0-4b1c-4a2b`),
  `arn:aws:chime:eu-central-1:${ACCOUNT}:meeting/m9`,
  `arn:aws:chime:ap-east-1:${ACCOUNT}:meeting/m8`,
  '*',
];

/** Time at which the sessions of all principals began. */
export const SESSIONS_BEGAN = Date.UTC(2026, 10, 22);

/** Returns a random number generator, which returns integers from 0 to below a limit. Source: mulberry32. */
function seeded(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** Returns the tag `team` of a principal. */
export function teamOf(principal: number): string {
  return ['red', 'blue', 'green'][principal % 3] as string;
}

export function makeWorkload(principalCount = 1000, requestCount = 10_000): Workload {
  const dice = seeded(2026);
  const pick = <Item>(items: readonly Item[]): Item => items[dice(items.length)] as Item;
  const text = (statements: readonly Statement[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });
  const policies = [
    ...MANAGED.map((name) => ({ name, text: managedPolicies().find((policy) => policy.name === name)?.document ?? '' })),
    ...Object.entries(CUSTOM).map(([name, statements]) => ({ name, text: text(statements) })),
  ];
  // Principals have these policies (broad policies and denials) more often than the other policies, as in real
  // accounts.
  const common = ['AmazonChimeFullAccess', 'AmazonChimeReadOnly', 'notIam', 'office', 'mfa', 'region', 'tls'];
  const commonAt = common.map((name) => policies.findIndex((policy) => policy.name === name));
  const one = (): number => (dice(3) === 0 ? pick(commonAt) : dice(policies.length));
  const some = (): number[] => [...new Set(Array.from({ length: 1 + dice(5) }, one))];
  const principals = Array.from({ length: principalCount }, (_, i) => ({
    name: `user${i}`,
    identity: some(),
    ...(dice(3) === 0 ? { boundary: pick([0, 1, 17]) } : {}),
    ...(dice(5) === 0 ? { session: pick([0, 1, 3]) } : {}),
  }));
  const requests = Array.from({ length: requestCount }, () => makeRequest(dice, pick, principals));
  return { policies, serviceControl: SERVICE_CONTROL.map(text), principals, requests };
}

function makeRequest(
  dice: (limit: number) => number,
  pick: <Item>(items: readonly Item[]) => Item,
  principals: readonly WorkloadPrincipal[],
): WorkloadRequest {
  const principal = dice(principals.length);
  const { name } = principals[principal] as WorkloadPrincipal;
  const iam = dice(6) === 0;
  const path = principal % 5 === 0 ? 'ops/' : '';
  const resource = iam ? `arn:aws:iam::${ACCOUNT}:user/user${dice(1000)}` : pick(RESOURCES);
  const mfa = dice(3) > 0;
  const time = `2026-11-22T0${dice(10)}:${10 + dice(50)}:00Z`;
  return {
    principal,
    action: iam ? pick(IAM_ACTIONS) : pick(ACTIONS),
    resource,
    context: {
      'aws:principalarn': `arn:aws:iam::${ACCOUNT}:user/${path}${name}`,
      'aws:principalaccount': ACCOUNT,
      'aws:principaltype': 'User',
      'aws:principalorgid': 'o-abcdef1234',
      'aws:principaltag/team': teamOf(principal),
      'aws:userid': `AIDA${String(principal).padStart(16, '0')}`,
      'aws:username': name,
      'aws:sourceip': dice(4) === 0 ? `198.51.100.${dice(250)}` : `10.${dice(200)}.${dice(250)}.${dice(250)}`,
      'aws:securetransport': dice(8) === 0 ? 'false' : 'true',
      'aws:requestedregion': pick(['us-east-1', 'us-east-1', 'us-east-1', 'eu-central-1', 'ap-east-1']),
      'aws:currenttime': time,
      'aws:useragent': pick(['aws-cli/2.31 Python/3.13', 'Boto3/1.40', 'aws-sdk-js/3.1137', 'belfry-console/1']),
      'aws:multifactorauthpresent': String(mfa),
      // All sessions began at midnight (`SESSIONS_BEGAN`), so the age of the MFA sign-in is counted from midnight.
      ...(mfa && { 'aws:multifactorauthage': String((Date.parse(time) - SESSIONS_BEGAN) / 1000) }),
      'aws:viaawsservice': 'false',
      ...(resource !== '*' && { 'aws:resourceaccount': ACCOUNT }),
    },
  };
}
