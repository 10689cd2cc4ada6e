import assert from 'node:assert/strict';
import { type Authorize, type AuthorizeRequest, authorizing } from '#access/authorize.ts';
import { callersOf } from '#access/caller-facts.ts';
import { newDecisions } from '#access/decisions.ts';
import { contextMap, type RequestContext, setOwnerVisible } from '#access/request-context.ts';
import { type Required, requiredReading } from '#access/required-reading.ts';
import { resourceSetting } from '#access/resource-deciding.ts';
import { newSnapshot, type Snapshot } from '#access/snapshot.ts';
import { newStacks, type Stacks } from '#access/stacks.ts';
import { type AccountId, type Arn, arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { Denial } from '#policy/decision.ts';
import { DECISION_STEPS, type PolicyStack } from '#policy/engine.ts';
import type { IdentityChange } from '#store/identity/identity.ts';
import { changeTo } from '#store/identity/record-examples.ts';
import type { Tx } from '#store/store.ts';
import { SESSIONS_BEGAN, teamOf, type Workload } from './policy-workload.ts';

/**
 * The workload of `policy-workload.ts` as a server processes it: an identity snapshot, and requests with headers, an address and an
 * authenticated caller. Each principal has two sessions, one with MFA and one without.
 */
export interface RealPath {
  readonly snapshot: Snapshot;
  readonly stacks: Stacks;
  readonly requests: readonly AuthorizeRequest[];
  /** Authorizes a request with the same function as a server. */
  readonly authorize: Authorize;
  /**
   * Decides the request with this index: builds the condition context from the headers and the caller, and returns the
   * denial or undefined. This is the synchronous part of `authorize`.
   */
  readonly decide: (request: number) => Denial | undefined;
  /** Returns the condition context of the request with this index, from which the engine reads facts on demand. */
  readonly contextOf: (request: number) => RequestContext;
}

const ACCOUNT = '123456789012' as AccountId;
const MANAGEMENT = '210987654321' as AccountId;
const NOW = instant(SESSIONS_BEGAN);
/** ID of the organization's root. */
const ROOT = 'r-ab12';
/** Placeholder for the transaction of a request. The requests read nothing from the store. */
const NO_TX = {} as Tx;

/** Creates the snapshot and the requests. A track is a variant of the workload. Track B adds SCPs, boundaries and session policies. */
export function realPath(workload: Workload, track: 'A' | 'B'): RealPath {
  const snapshot = newSnapshot();
  const users = workload.principals.map((_, principal) => userOf(workload, track, principal));
  snapshot.apply(1, [...organization(workload, track), ...workload.policies.map(policy), ...users]);
  const stacks = newStacks(snapshot);
  const sessions = workload.principals.map((_, principal) => [true, false].map((mfa) => sessionOf(workload, track, principal, mfa)));
  const requests = workload.requests.map((request, index) => {
    const mfa = request.context['aws:multifactorauthpresent'] === 'true';
    return requestOf(request, sessions[request.principal]?.[mfa ? 0 : 1] as Principal, index);
  });
  const authorize = authorizing({ snapshot, stacks, holds: () => true });

  const callerOf = callersOf(snapshot, stacks);
  const readRequired = requiredReading(snapshot, stacks);
  const setResourceOf = resourceSetting(snapshot);
  const decisions = newDecisions(DECISION_STEPS);
  const begin = (index: number): RequestContext => {
    const request = requests[index] as AuthorizeRequest;
    const caller = callerOf(request.authenticated.principal);
    const required = readRequired(request, request.asked[0] as AuthorizeRequest['asked'][number], caller, NO_TX) as Required;
    setResourceOf(required, 0);
    return required.context;
  };
  workload.requests.forEach(({ context }, index) => {
    const facts = contextMap(begin(index), true);
    for (const [key, value] of Object.entries(context)) assert.equal(facts.get(key), value, key);
  });
  return {
    ...{ snapshot, stacks, requests, authorize },
    decide: (index) => {
      const context = begin(index);
      return decisions.byStack(context.caller.stack as PolicyStack, context, context.ownerVisibleToCaller, undefined);
    },
    contextOf: (index) => {
      const context = begin(index);
      setOwnerVisible(context, context.ownerVisibleToCaller);
      return context;
    },
  };
}

/** Authorizes requests, one after the other. */
export async function authorizeAll({ authorize }: RealPath, requests: readonly AuthorizeRequest[]): Promise<void> {
  for (const request of requests) await authorize(request, NO_TX);
}

/** Authorizes requests that are denied, one after the other. */
export async function denyAll({ authorize }: RealPath, requests: readonly AuthorizeRequest[]): Promise<void> {
  for (const request of requests) await assert.rejects(authorize(request, NO_TX));
}

function userOf(workload: Workload, track: 'A' | 'B', principal: number): IdentityChange {
  const { identity = [], boundary } = workload.principals[principal] ?? {};
  const record = {
    ...recordOf(`user/${pathOf(principal)}user${principal}`),
    userName: `user${principal}`,
    userId: idOf(principal),
    tags: [{ key: 'team', value: teamOf(principal) }],
    groupIds: [],
    accessKeyIds: [],
    attachedPolicyArns: identity.map((i) => policyArnOf(workload, i)),
    inlinePolicies: {},
    ...(track === 'B' && boundary !== undefined && { permissionsBoundaryArn: policyArnOf(workload, boundary) }),
  };
  return changeTo({ accountId: ACCOUNT, kind: 'user', key: record.userName, version: 1, record });
}

function requestOf({ action, resource, context }: Workload['requests'][number], principal: Principal, index: number): AuthorizeRequest {
  const value = (key: string): string => context[key] ?? '';
  return {
    received: {
      requestId: `request-${index}`,
      rawHeaders: headers(value('aws:useragent')),
      sourceIp: value('aws:sourceip'),
      secureTransport: value('aws:securetransport') === 'true',
    },
    authenticated: { principal, region: value('aws:requestedregion'), identityVersion: 1 },
    profile: 'sdk',
    asked: [{ action: action as `${string}:${string}`, resources: [resource] }],
    now: Date.parse(value('aws:currenttime')) as Instant,
  };
}

function sessionOf(workload: Workload, track: 'A' | 'B', principal: number, mfaAuthenticated: boolean): Principal {
  const { session } = workload.principals[principal] ?? {};
  return {
    type: 'IAMUser',
    accountId: ACCOUNT,
    arn: arn('iam', '', ACCOUNT, `user/${pathOf(principal)}user${principal}`),
    principalId: idOf(principal),
    userName: `user${principal}`,
    session: {
      issuedAt: NOW,
      expiresAt: instant(NOW + 86_400_000),
      mfaAuthenticated,
      // Marks the session as a console sign-in, because other sessions of users cannot call IAM without MFA.
      fromConsole: true,
      tags: {},
      transitiveTagKeys: [],
      chained: false,
      ...(track === 'B' && session !== undefined && { sessionPolicyArns: [policyArnOf(workload, session)] }),
    },
  };
}

/** Headers that the AWS SDK for JavaScript sends. */
function headers(userAgent: string): readonly string[] {
  return [
    ...['content-type', 'application/json', 'host', 'localhost:8443', 'x-amz-user-agent', userAgent, 'user-agent', userAgent],
    ...['amz-sdk-invocation-id', '2c8e5d1e-3f0c-4a8b-9d35', 'amz-sdk-request', 'attempt=1; max=3', 'x-amz-date', '20261122T000000Z'],
    ...[
      'x-amz-content-sha256',
      'e3b0c44298fc1c149afbf4c8996fb924',
      'authorization',
      'AWS4-HMAC-SHA256 Credential=…',
      'connection',
      'keep-alive',
    ],
  ];
}

function pathOf(principal: number): string {
  return principal % 5 === 0 ? 'ops/' : '';
}

function idOf(principal: number): string {
  return `AIDA${String(principal).padStart(16, '0')}`;
}

function recordOf(resource: string): { accountId: AccountId; arn: Arn; path: string; createdAt: Instant } {
  return { accountId: ACCOUNT, arn: arn('iam', '', ACCOUNT, resource), path: '/', createdAt: NOW };
}

function policyArnOf(workload: Workload, index: number): Arn {
  return arn('iam', '', ACCOUNT, `policy/${workload.policies[index]?.name}`);
}

function policy({ name, text }: Workload['policies'][number]): IdentityChange {
  const version = { versionId: 'v1', document: text, createdAt: NOW };
  const record = {
    ...recordOf(`policy/${name}`),
    policyName: name,
    policyId: `ANPA${name}`,
    defaultVersionId: 'v1',
    nextVersion: 2,
    versions: [version],
    tags: [],
    updatedAt: NOW,
  };
  return changeTo({ accountId: ACCOUNT, kind: 'policy', key: name.toLowerCase(), version: 1, record });
}

/** Returns the records of the organization. The account is a member, so that service control policies apply to it. */
function organization({ serviceControl }: Workload, track: 'A' | 'B'): IdentityChange[] {
  const ids = serviceControl.map((_, i) => `p-${String(i).padStart(8, '0')}`);
  const target = { accountId: MANAGEMENT, tags: [] };
  const member = (accountId: AccountId) => ({
    ...{ ...target, attachedPolicyIds: ids.slice(1), memberId: accountId, parentId: ROOT, joinedAt: NOW },
    ...{ joinedMethod: 'INVITED' as const, status: 'ACTIVE' as const },
  });
  const root = { attachedPolicyIds: ids.slice(0, 1), tags: [], rootId: ROOT };
  return [
    changeTo({
      ...{ accountId: MANAGEMENT, kind: 'organization', key: 'organization', version: 1 },
      record: {
        ...{ accountId: MANAGEMENT, organizationId: 'o-abcdef1234', featureSet: 'ALL', createdAt: NOW, root },
        serviceControl: track === 'B' ? 'enabled' : 'disabled',
      },
    }),
    ...[MANAGEMENT, ACCOUNT].flatMap((accountId): IdentityChange[] => [
      changeTo({
        ...{ accountId, kind: 'organization-member', key: 'organization', version: 1 },
        record: { accountId, managementAccountId: MANAGEMENT },
      }),
      changeTo({ accountId: MANAGEMENT, kind: 'organization-account', key: accountId, version: 1, record: member(accountId) }),
    ]),
    ...serviceControl.map((content, i): IdentityChange => {
      const policyId = ids[i] as string;
      const record = { ...target, policyId, name: policyId, description: '', content };
      return changeTo({ accountId: MANAGEMENT, kind: 'service-control-policy', key: policyId, version: 1, record });
    }),
  ];
}
