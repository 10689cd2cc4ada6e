/** Fixture of tests about bucket policies: accounts, callers with policies of every type, and decisions about a bucket. */
import { type AccountId, type Arn, arn, NO_ACCOUNT } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';
import type { IdentityChange } from '#store/identity/identity.ts';
import { changeTo } from '#store/identity/record-examples.ts';
import type { Tx } from '#store/store.ts';
import { type Asked, type AuthorizeRequest, authorizing } from './authorize.ts';
import { type DecisionTrace, newDecisionTrace } from './decision-trace.ts';
import { Denied } from './denied.ts';
import { newSnapshot } from './snapshot.ts';
import { newStacks } from './stacks.ts';

/** Account that owns the bucket `logs`. It is a member of the organization, if there is one. */
export const OWNER = '111122223333' as AccountId;
export const OTHER = '444455556666' as AccountId;
const MANAGEMENT = '777788889999' as AccountId;
export const NOW = instant(Date.UTC(2026, 10, 22));
export const BUCKET = 'arn:aws:s3:::logs';
export const OBJECT = `${BUCKET}/a/b`;

/** Transaction that decisions do not use. */
const NO_TX = {} as Tx;
const SESSION: SessionFacts = {
  issuedAt: NOW,
  expiresAt: instant(NOW + HOUR_MS),
  mfaAuthenticated: false,
  tags: {},
  transitiveTagKeys: [],
  chained: false,
};

const userOf = (accountId: AccountId) => ({
  type: 'IAMUser' as const,
  accountId,
  arn: arn('iam', '', accountId, 'user/ada'),
  principalId: `AIDA${accountId}`,
  userName: 'ada',
});
const roleArnOf = (accountId: AccountId) => arn('iam', '', accountId, 'role/team/reader');

/** Callers of an account. The user and the role have the policies of the fixture. The session policy is set by `bucketWorld`. */
export function callersOf(accountId: AccountId, sessionPolicy?: string) {
  const user = userOf(accountId);
  const session = { ...SESSION, ...(sessionPolicy !== undefined && { sessionPolicy }) };
  return {
    user,
    root: { type: 'Root', accountId, arn: arn('iam', '', accountId, 'root'), principalId: accountId },
    roleSession: {
      type: 'AssumedRole',
      accountId,
      arn: arn('sts', '', accountId, 'assumed-role/reader/s'),
      principalId: `AROA${accountId}:s`,
      roleArn: roleArnOf(accountId),
      roleId: `AROA${accountId}`,
      roleName: 'reader',
      sessionName: 's',
      session,
    },
    federated: {
      type: 'FederatedUser',
      accountId,
      arn: arn('sts', '', accountId, 'federated-user/visitor'),
      principalId: `${accountId}:visitor`,
      userName: 'visitor',
      issuerArn: user.arn,
      issuerId: user.principalId,
      session,
    },
  } as const satisfies Readonly<Record<string, Principal>>;
}

export const ANONYMOUS: Principal = {
  type: 'Unknown',
  accountId: NO_ACCOUNT,
  arn: 'arn:aws:iam:::anonymous' as Arn,
  principalId: 'anonymous',
};

/** Policies of the callers of every account, as documents. Absent: no policy of this type. */
export interface WorldPolicies {
  readonly identity?: string;
  readonly boundary?: string;
  /** Service control policy of the accounts in the organization. */
  readonly serviceControl?: string;
  /** Whether the account `OTHER` is in the organization of `OWNER`. Then both are in one. */
  readonly organization?: boolean;
}

/** Returns a snapshot with the callers of `OWNER` and `OTHER`. */
export function bucketSnapshot({ identity, boundary, serviceControl, organization = serviceControl !== undefined }: WorldPolicies) {
  const snapshot = newSnapshot();
  const changes: IdentityChange[] = [];
  for (const accountId of [OWNER, OTHER]) {
    const boundaryArn = arn('iam', '', accountId, 'policy/boundary');
    const holder = {
      ...{ accountId, createdAt: NOW, attachedPolicyArns: [], tags: [] },
      inlinePolicies: identity === undefined ? {} : { p: identity },
      ...(boundary !== undefined && { permissionsBoundaryArn: boundaryArn }),
    };
    const user = {
      ...holder,
      arn: userOf(accountId).arn,
      path: '/',
      userName: 'ada',
      userId: `AIDA${accountId}`,
      groupIds: [],
      accessKeyIds: [],
    };
    const trust = { trustPolicy: '{"Version":"2012-10-17","Statement":[]}', maxSessionSeconds: 3600 };
    const role = { ...holder, ...trust, arn: roleArnOf(accountId), path: '/team/', roleName: 'reader', roleId: `AROA${accountId}` };
    changes.push(
      changeTo({ accountId, kind: 'user', key: 'ada', version: 1, record: user }),
      changeTo({ accountId, kind: 'role', key: 'reader', version: 1, record: role }),
    );
    if (boundary !== undefined) changes.push(boundaryOf(accountId, boundaryArn, boundary));
  }
  snapshot.apply(1, [...changes, ...(organization ? organizationOf(serviceControl) : [])]);
  return snapshot;
}

function boundaryOf(accountId: AccountId, policyArn: Arn, document: string): IdentityChange {
  const versions = [{ versionId: 'v1', document, createdAt: NOW }];
  const record = {
    accountId,
    arn: policyArn,
    path: '/',
    createdAt: NOW,
    updatedAt: NOW,
    policyName: 'boundary',
    policyId: 'ANPAB',
    tags: [],
  };
  return changeTo({
    accountId,
    kind: 'policy',
    key: 'boundary',
    version: 1,
    record: { ...record, defaultVersionId: 'v1', nextVersion: 2, versions },
  });
}

function organizationOf(serviceControl: string | undefined): IdentityChange[] {
  const accountId = MANAGEMENT;
  const ids = serviceControl === undefined ? ['p-FullAWSAccess'] : ['p-1'];
  const policy = { accountId, policyId: 'p-1', name: 'n', description: '', content: serviceControl ?? '{}', tags: [] };
  const organization = { accountId, organizationId: 'o-abcdef1234', featureSet: 'ALL', createdAt: NOW, serviceControl: 'enabled' } as const;
  const root = { attachedPolicyIds: ids, tags: [], rootId: 'r-ab12' };
  const account = {
    accountId,
    parentId: 'r-ab12',
    joinedAt: NOW,
    joinedMethod: 'CREATED',
    status: 'ACTIVE',
    attachedPolicyIds: ids,
    tags: [],
  } as const;
  return [
    changeTo({ accountId, kind: 'organization', key: 'organization', version: 1, record: { ...organization, root } }),
    changeTo({ accountId, kind: 'service-control-policy', key: 'p-1', version: 1, record: policy }),
    ...[OWNER, OTHER].flatMap((memberId) => [
      changeTo({
        ...{ accountId: memberId, kind: 'organization-member', key: 'organization', version: 1 },
        record: { accountId: memberId, managementAccountId: accountId },
      }),
      changeTo({ accountId, kind: 'organization-account', key: memberId, version: 1, record: { ...account, memberId } }),
    ]),
  ];
}

/** Decision about a request. `denied` is absent if the request was allowed. */
export interface BucketDecision {
  readonly denied: Denied | undefined;
  readonly trace: DecisionTrace;
}

/** Decides one request with the policies of a snapshot. `more` replaces members of the request. */
export async function decideBucket(
  snapshot: ReturnType<typeof bucketSnapshot>,
  principal: Principal,
  asked: Asked,
  more: Partial<AuthorizeRequest> & { readonly decisionSteps?: number } = {},
): Promise<BucketDecision> {
  const { decisionSteps, ...request } = more;
  const authorize = authorizing({
    ...{ snapshot, stacks: newStacks(snapshot), holds: () => true },
    ...(decisionSteps !== undefined && { decisionSteps }),
  });
  const trace = newDecisionTrace();
  const received = { requestId: 'r', rawHeaders: [], sourceIp: '127.0.0.1', secureTransport: true };
  const authenticated = { principal, region: 'us-east-1', identityVersion: 1 };
  const denied = await authorize({ received, authenticated, profile: 'sdk', asked: [asked], now: NOW, trace, ...request }, NO_TX).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof Denied) return error;
      throw error;
    },
  );
  return { denied, trace };
}

/** Returns the permission of an action on a resource of a bucket. */
export function onBucket(
  action: Asked['action'],
  resource: string,
  policy: string | undefined,
  owner: AccountId | undefined = OWNER,
): Asked {
  return { action, resources: [resource], resourcePolicy: async () => policy, resourceOwner: async () => owner };
}
