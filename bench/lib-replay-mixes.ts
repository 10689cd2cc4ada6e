/** Requests that `bench/replay.ts` records: their callers, policies, actions and contexts. */
import { type StoredCaller, storedCallers } from '#access/stored-callers.ts';
import type { AccountId, Arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { Store, Tx } from '#store/store.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import { trailSessions } from '#store/trail/trail-session.ts';
import { allow, deny, policy, trust } from '../test/kit/policy.ts';

export const ACCOUNT = '111122223333' as AccountId;

/** A mix of requests. One request in 20 is denied. */
export interface Mix {
  readonly users: number;
  readonly meetings: number;
  readonly actions: readonly string[];
  /** Number of managed policies in the account, and of those that each user and role has. */
  readonly policies: number;
  readonly policiesOfEach: number;
  /**
   * Requests of role sessions among `of` requests, and the number of sessions: each has a session policy. Sessions of different numbers have different
   * policies, of which there are `policies`.
   */
  readonly sessions?: { readonly share: number; readonly count: number; readonly policies: number };
}

const VERBS = ['Get', 'Create', 'List', 'Delete', 'Update'];
const NOUNS = ['Meeting', 'Attendee', 'Channel', 'User', 'Room', 'Bot', 'Account', 'PhoneNumber'];
const FORTY = NOUNS.flatMap((noun) => VERBS.map((verb) => `chime:${verb}${noun}`));
const FOUR = ['chime:GetMeeting', 'chime:CreateAttendee', 'chime:ListAttendees', 'chime:DeleteAttendee'];

/** Returns the mixes by name, for a number of records. */
export function mixes(records: number): Readonly<Record<string, Mix>> {
  return {
    usual: { users: 100, meetings: 1_000, actions: FOUR, policies: 1, policiesOfEach: 1 },
    varied: {
      ...{ users: 5_000, meetings: 100_000, actions: FORTY, policies: 50, policiesOfEach: 10 },
      sessions: { share: 2, count: 2_000, policies: 200 },
    },
    // Each request has another principal, another session policy and another resource.
    distinct: {
      ...{ users: 1, meetings: records, actions: FORTY, policies: 50, policiesOfEach: 10 },
      sessions: { share: 1, count: records, policies: records },
    },
  };
}

const NOW = Date.now();
const MEETINGS = `arn:aws:chime:*:${ACCOUNT}:meeting/*`;
const ROLES = 20;
const userArn = (i: number) => `arn:aws:iam::${ACCOUNT}:user/user-${i}` as Arn;
const policyArn = (name: string) => `arn:aws:iam::${ACCOUNT}:policy/${name}` as Arn;
const OFFICE = policy(deny('chime:Delete*', '*', { Condition: { NotIpAddress: { 'aws:SourceIp': ['10.0.0.0/8'] } } }));

/** Returns the actions that a policy allows: a fifth of them, so that any ten policies with consecutive numbers allow each one twice. */
function actionsOf({ actions, policies }: Mix, number: number): readonly string[] {
  return policies === 1 ? ['chime:GetMeeting', 'chime:*Attendee*'] : actions.filter((_, i) => (i + number) % 10 < 2);
}

/** Returns the numbers of the policies of a user or role. */
function policiesOf({ policies, policiesOfEach }: Mix, holder: number): readonly number[] {
  return Array.from({ length: policiesOfEach }, (_, i) => (holder * 7 + i) % policies);
}

/** Creates the users, roles and policies of a mix. */
export async function fillIdentity(store: Store, mix: Mix): Promise<void> {
  const at = instant(NOW);
  await store.transaction(async ({ identity }) => {
    await identity.put(ACCOUNT, 'account', ACCOUNT, { accountId: ACCOUNT, name: 'a', createdAt: at });
    const documents = Array.from({ length: mix.policies }, (_, i) => policy(allow(actionsOf(mix, i), MEETINGS)));
    for (const [name, document] of [...documents.map((text, i) => [`meetings-${i}`, text] as const), ['office', OFFICE] as const]) {
      await identity.put(ACCOUNT, 'policy', name, {
        ...{ accountId: ACCOUNT, arn: policyArn(name), path: '/', policyName: name, policyId: `ANPA${name}`, createdAt: at, updatedAt: at },
        ...{ defaultVersionId: 'v1', nextVersion: 2, versions: [{ versionId: 'v1', document, createdAt: at }], tags: [] },
      });
    }
    const held = (holder: number) => ({
      attachedPolicyArns: [...policiesOf(mix, holder).map((i) => policyArn(`meetings-${i}`)), policyArn('office')],
      inlinePolicies: {
        own: policy(
          allow('chime:ListMeetings'),
          allow('chime:GetAttendee', '*', { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
        ),
      },
    });
    for (let i = 0; i < mix.users; i++) {
      await identity.put(ACCOUNT, 'user', `user-${i}`, {
        ...{ accountId: ACCOUNT, arn: userArn(i), path: '/', userName: `user-${i}`, userId: `AIDA${i}`, createdAt: at, tags: [] },
        ...{ groupIds: [], accessKeyIds: [], ...held(i) },
      });
    }
    for (let i = 0; mix.sessions !== undefined && i < ROLES; i++) {
      const roleArn = `arn:aws:iam::${ACCOUNT}:role/role-${i}` as Arn;
      await identity.put(ACCOUNT, 'role', `role-${i}`, {
        ...{ accountId: ACCOUNT, arn: roleArn, path: '/', roleName: `role-${i}`, roleId: `AROA${i}`, createdAt: at, tags: [] },
        ...{ trustPolicy: policy(trust(ACCOUNT)), maxSessionSeconds: 3_600, ...held(i) },
      });
    }
  });
}

/** Returns the principal of a session of a role. */
function sessionPrincipal(number: number, policies: number): Principal {
  const role = number % ROLES;
  const sessionName = `session-${number}`;
  const resources = [MEETINGS, `arn:aws:chime:us-east-1:${ACCOUNT}:meeting/${number % policies}`];
  return {
    ...{ type: 'AssumedRole', accountId: ACCOUNT, arn: `arn:aws:sts::${ACCOUNT}:assumed-role/role-${role}/${sessionName}` as Arn },
    ...{ principalId: `AROA${role}:${sessionName}`, roleArn: `arn:aws:iam::${ACCOUNT}:role/role-${role}` as Arn },
    ...{ roleId: `AROA${role}`, roleName: `role-${role}`, sessionName },
    session: {
      ...{ issuedAt: instant(NOW), expiresAt: instant(NOW + 3_600_000), mfaAuthenticated: false, tags: {}, transitiveTagKeys: [] },
      ...{ sessionPolicy: policy(allow('chime:*', resources)), chained: false },
    },
  };
}

/** Creates the function that returns the context of a request, and stores its session in the transaction that records it. */
export function newContexts(mix: Mix, identityVersion: number): (tx: Tx, i: number) => Promise<DecisionContext> {
  const { users, meetings, actions, sessions } = mix;
  const callers = storedCallers();

  /** Returns the caller of a request: a session, or undefined for a user. */
  async function sessionOf(tx: Tx, i: number): Promise<StoredCaller | undefined> {
    if (sessions === undefined || i % sessions.share !== 0) return undefined;
    const caller = callers.of(sessionPrincipal((i / sessions.share) % sessions.count, sessions.policies));
    if (caller.session !== undefined) await tx.of(trailSessions).note(caller.session);
    return caller;
  }

  return async (tx, i) => {
    const session = await sessionOf(tx, i);
    // With a share of sessions, users and sessions take turns.
    const turn = Math.floor(i / (sessions?.share ?? 1));
    const user = turn % users;
    const number = turn % actions.length;
    const action = actions[number] as string;
    const deletes = actions.filter((each) => each.startsWith('chime:Delete')).length;
    const isDenied =
      action.startsWith('chime:Delete') && Math.floor(turn / actions.length) % Math.round((20 * deletes) / actions.length) === 0;
    const resource = `arn:aws:chime:us-east-1:${ACCOUNT}:meeting/${String((i * 7) % meetings).padStart(8, '0')}-0000-4000-8000-000000000000`;
    const name = isDenied ? 'office' : `meetings-${user % mix.policies}`;
    const by = { policyType: 'identity', policyId: policyArn(name), policyArn: policyArn(name), statement: 0 };
    return {
      ...{ identityVersion, identityChanged: false, now: instant(NOW + i), profile: 'sdk' },
      caller: session?.caller ?? { principal: JSON.stringify(['IAMUser', ACCOUNT, userArn(user), `AIDA${user}`, `user-${user}`]) },
      ...{ region: 'us-east-1', sourceIp: isDenied ? '192.0.2.7' : `10.0.0.${user % 250}`, secureTransport: true },
      ...{ userAgent: 'aws-sdk-js/3.1000.0 os/linux lang/js md/nodejs#24 api/chime-sdk-meetings', referer: undefined },
      permissions: [
        {
          ...{ action, resources: [resource], added: undefined, tags: 'not read', trustPolicyOf: undefined, resourceOwner: undefined },
          ...{ resourcePolicy: undefined, always: false, undecided: false, allowedBy: isDenied ? undefined : by },
        },
      ],
      outcome: isDenied ? { effect: 'Deny', kind: 'explicit', by, resource } : { effect: 'Allow' },
      ...{ denied: undefined, omitted: undefined },
    };
  };
}
