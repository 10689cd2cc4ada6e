import type { AccountId, Arn } from '#core/arn.ts';
import { lruMap } from '#core/lru-map.ts';
import type { Principal, SessionFacts } from '#core/principal.ts';
import {
  type CompiledPolicy,
  compilePolicy,
  type PolicyLayers,
  type PolicyStack,
  type SourcedPolicy,
  sharedStack,
} from '#policy/engine.ts';
import type { GroupRecord, IdentityKind, IdentityRecords, PolicyRecord, RoleRecord, UserRecord } from '#store/identity/identity.ts';
import { managedPolicyDocument } from './managed.ts';
import { serviceControlLevels } from './service-control.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Policies of each principal, by policy type, linked once. A change of identity unlinks only the stacks that contain the changed record, so
 * the next request uses the current policies. Requirement EVAL-10.
 */
export interface Stacks {
  /**
   * Returns the principal's policies, linked, including its session policies.
   *
   * @throws Error  an attached policy does not exist or cannot be compiled. Evaluation fails closed (EVAL-12).
   */
  stackOf(principal: Principal): PolicyStack;
  /** Returns the principal's policies by policy type, for the simulator and for explanations. */
  layersOf(principal: Principal): PolicyLayers;
  /** Returns the service control policies of an account: see `serviceControlLevels`. */
  serviceControlOf(accountId: AccountId): PolicyLayers['serviceControl'];
  /** Returns a role's compiled trust policy. */
  trustOf(role: RoleRecord): CompiledPolicy;
}

/** Maximum number of cached stacks of sessions with session policies. */
const SESSION_STACKS_MAX = 10_000;
/** Maximum number of cached session policies. */
const SESSION_POLICIES_MAX = 1000;

/**
 * Permissions of all users in an account whose password policy has AllowUsersToChangePassword. ChangePassword changes only the caller's own
 * password.
 *
 * Source: IAM User Guide, "Permit IAM users to change their own passwords".
 */
const OWN_PASSWORD: SourcedPolicy = {
  policyId: 'the account password policy',
  policy: compilePolicy(
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:ChangePassword","iam:GetAccountPasswordPolicy"],"Resource":"*"}}',
  ),
};

/** Creates the stacks of a snapshot and follows its changes. */
export function newStacks(snapshot: Snapshot): Stacks {
  const compiledOf = new WeakMap<object, Map<string, CompiledPolicy>>();
  const stacks = new Map<string, PolicyStack>();
  /** Keys of the stacks that contain a record, by the record's name: a policy ARN or `group:…`. */
  const users = new Map<string, Set<string>>();
  const sessionStacks = lruMap<string, { readonly base: PolicyLayers; readonly stack: PolicyStack }>(SESSION_STACKS_MAX);
  const sessionPolicyOf = lruMap<string, CompiledPolicy>(SESSION_POLICIES_MAX);
  const layers = new Map<string, PolicyLayers>();

  /** Compiles a policy once per record. A changed record is a new object. */
  function compiled(holder: object, name: string, text: string): CompiledPolicy {
    let policies = compiledOf.get(holder);
    if (policies === undefined) compiledOf.set(holder, (policies = new Map()));
    let policy = policies.get(name);
    if (policy === undefined) policies.set(name, (policy = compilePolicy(text)));
    return policy;
  }

  function managed(policyArn: Arn): SourcedPolicy {
    const aws = managedPolicyDocument(policyArn);
    if (aws !== undefined) return { policyId: policyArn, policyArn, policy: compiled(aws, 'document', aws.document) };
    const record = snapshot.policy(policyArn);
    const version = record?.versions.find((each) => each.versionId === record.defaultVersionId);
    // An attached policy always exists. If a bug removes it, evaluation fails closed.
    if (record === undefined || version === undefined) throw new Error(`the attached policy '${policyArn}' does not exist`);
    return { policyId: policyArn, policyArn, policy: compiled(record, version.versionId, version.document) };
  }

  function groupOfId(groupId: string): GroupRecord {
    const group = snapshot.groupById(groupId);
    // The group of a user always exists. If a bug removes it, evaluation fails closed, because the group may have denied something.
    if (group === undefined) throw new Error(`the group '${groupId}' does not exist`);
    return group;
  }

  function held(holder: UserRecord | GroupRecord | RoleRecord, label: string): SourcedPolicy[] {
    return [
      ...holder.attachedPolicyArns.map(managed),
      ...Object.entries(holder.inlinePolicies).map(([name, text]) => ({
        policyId: `${label}:${name}`,
        policy: compiled(holder, `inline ${name}`, text),
      })),
    ];
  }

  function depends(key: string, on: readonly string[]): void {
    for (const thing of on) {
      let keys = users.get(thing);
      if (keys === undefined) users.set(thing, (keys = new Set()));
      keys.add(key);
    }
  }

  function ofUser(user: UserRecord): PolicyLayers {
    const key = `user:${user.accountId}:${user.userName.toLowerCase()}`;
    const kept = layers.get(key);
    if (kept !== undefined) return kept;
    const groups = user.groupIds.map(groupOfId);
    depends(key, [
      ...user.attachedPolicyArns,
      ...groups.flatMap((group) => [`group:${user.accountId}:${group.groupName.toLowerCase()}`, ...group.attachedPolicyArns]),
      ...(user.permissionsBoundaryArn === undefined ? [] : [user.permissionsBoundaryArn]),
    ]);
    const serviceControl = serviceControlLevels(snapshot, user.accountId, compiled);
    const made: PolicyLayers = {
      identity: [
        ...held(user, `user/${user.userName}`),
        ...groups.flatMap((group) => held(group, `group/${group.groupName}`)),
        ...(snapshot.account(user.accountId)?.passwordPolicy?.allowUsersToChangePassword ? [OWN_PASSWORD] : []),
      ],
      ...(user.permissionsBoundaryArn === undefined ? {} : { boundary: [managed(user.permissionsBoundaryArn)] }),
      ...(serviceControl === undefined ? {} : { serviceControl }),
    };
    layers.set(key, made);
    return made;
  }

  function ofRole(role: RoleRecord): PolicyLayers {
    const key = `role:${role.accountId}:${role.roleName.toLowerCase()}`;
    const kept = layers.get(key);
    if (kept !== undefined) return kept;
    const linked = role.linkedService !== undefined;
    depends(key, [...role.attachedPolicyArns, ...(role.permissionsBoundaryArn === undefined ? [] : [role.permissionsBoundaryArn])]);
    // Service-linked roles are exempt from boundaries and service control policies. Requirement SLR-16.
    const serviceControl = linked ? undefined : serviceControlLevels(snapshot, role.accountId, compiled);
    const made: PolicyLayers = {
      identity: held(role, `role/${role.roleName}`),
      ...(role.permissionsBoundaryArn === undefined || linked ? {} : { boundary: [managed(role.permissionsBoundaryArn)] }),
      ...(serviceControl === undefined ? {} : { serviceControl }),
    };
    layers.set(key, made);
    return made;
  }

  function ofRoot(accountId: AccountId): PolicyLayers {
    const key = `root:${accountId}`;
    const kept = layers.get(key);
    if (kept !== undefined) return kept;
    const serviceControl = serviceControlLevels(snapshot, accountId, compiled);
    const made: PolicyLayers = { identity: [], root: true, ...(serviceControl === undefined ? {} : { serviceControl }) };
    layers.set(key, made);
    return made;
  }

  const NOTHING: PolicyLayers = { identity: [] };

  function baseOf(principal: Principal): PolicyLayers {
    switch (principal.type) {
      case 'Root':
        return ofRoot(principal.accountId);
      case 'IAMUser': {
        const user = snapshot.user(principal.accountId, principal.userName);
        return user === undefined ? NOTHING : ofUser(user);
      }
      case 'AssumedRole': {
        const role = snapshot.role(principal.accountId, principal.roleName);
        return role === undefined || role.roleId !== principal.roleId ? NOTHING : ofRole(role);
      }
      case 'FederatedUser': {
        if (principal.issuerArn.endsWith(':root')) return ofRoot(principal.accountId);
        const name = principal.issuerArn.slice(principal.issuerArn.lastIndexOf('/') + 1);
        const user = snapshot.user(principal.accountId, name);
        return user === undefined || user.userId !== principal.issuerId ? NOTHING : ofUser(user);
      }
      case 'AWSService':
      case 'Unknown':
        return NOTHING;
    }
  }

  /** Compiles a session policy once. A new object for each request would require linking the whole stack again. */
  function sessionPolicy(text: string): CompiledPolicy {
    let policy = sessionPolicyOf.get(text);
    if (policy === undefined) {
      policy = compilePolicy(text);
      sessionPolicyOf.set(text, policy);
    }
    return policy;
  }

  /**
   * Returns the session policies, or `undefined` without any. For a federated user without any, returns an empty list, which allows nothing.
   * Requirement STS-10.
   */
  function sessionPolicies(principal: Principal, session: SessionFacts | undefined): SourcedPolicy[] | undefined {
    if (session?.sessionPolicy === undefined && session?.sessionPolicyArns === undefined)
      return principal.type === 'FederatedUser' ? [] : undefined;
    return [
      ...(session.sessionPolicy === undefined ? [] : [{ policyId: 'session policy', policy: sessionPolicy(session.sessionPolicy) }]),
      // A managed session policy that was deleted after the session began grants nothing.
      ...(session.sessionPolicyArns ?? []).filter(isThere).map(managed),
    ];
  }

  function isThere(policyArn: Arn): boolean {
    return managedPolicyDocument(policyArn) !== undefined || snapshot.policy(policyArn) !== undefined;
  }

  function layersOf(principal: Principal): PolicyLayers {
    const base = baseOf(principal);
    const session = sessionPolicies(principal, principal.session);
    return session === undefined ? base : { ...base, session };
  }

  /** Returns a key of a session's policies, which is the same for all requests of the session. */
  function sessionKey(principal: Principal, session: SessionFacts): string {
    return `${principal.principalId}\n${session.sessionPolicyArns?.join(' ') ?? ''}\n${session.sessionPolicy ?? ''}`;
  }

  snapshot.watch((change, before) => {
    const things = thingsOf(change.kind, change.accountId, change.key, before, change.record);
    for (const thing of things) {
      for (const key of users.get(thing) ?? []) unlink(key);
      users.delete(thing);
    }
    if (change.kind === 'user' || change.kind === 'role') unlink(`${change.kind}:${change.accountId}:${change.key}`);
    if (!BOUND_TO_PRINCIPALS.has(change.kind)) {
      // Other changes that affect permissions (service control policies, organizations) are rare, so they unlink everything.
      layers.clear();
      stacks.clear();
      users.clear();
      sessionStacks.clear();
    }
  });

  function unlink(key: string): void {
    layers.delete(key);
    stacks.delete(key);
  }

  return {
    layersOf,
    stackOf(principal) {
      const { session } = principal;
      const limited =
        session?.sessionPolicy !== undefined || session?.sessionPolicyArns !== undefined || principal.type === 'FederatedUser';
      const base = baseOf(principal);
      if (!limited || session === undefined) {
        let key: string;
        if (principal.type === 'IAMUser') key = `user:${principal.accountId}:${principal.userName.toLowerCase()}`;
        else if (principal.type === 'AssumedRole') key = `role:${principal.accountId}:${principal.roleName.toLowerCase()}`;
        else key = `${principal.type}:${principal.accountId}`;
        if (base === NOTHING) return sharedStack(NOTHING);
        let stack = stacks.get(key);
        if (stack === undefined) stacks.set(key, (stack = sharedStack(base)));
        return stack;
      }
      const key = sessionKey(principal, session);
      const kept = sessionStacks.get(key);
      // Managed session policies can change during the session, so only stacks with inline session policies are cached.
      if (kept !== undefined && kept.base === base && session.sessionPolicyArns === undefined) return kept.stack;
      const stack = sharedStack(layersOf(principal));
      sessionStacks.set(key, { base, stack });
      return stack;
    },
    serviceControlOf: (accountId) => serviceControlLevels(snapshot, accountId, compiled),
    trustOf: (role) => compiled(role, 'trust', role.trustPolicy),
  };
}

/** Kinds whose changes affect only the principals that have the record, all in one account. */
export const BOUND_TO_PRINCIPALS: ReadonlySet<IdentityKind> = new Set([
  'user',
  'group',
  'role',
  'policy',
  'access-key',
  'root-access-key',
  'attachment',
  'membership',
  'unique-id',
  'mfa-device',
  'saml-provider',
  'oidc-provider',
  'deletion-task',
]);

function thingsOf(
  kind: IdentityKind,
  accountId: AccountId,
  key: string,
  before: IdentityRecords[IdentityKind] | undefined,
  after: IdentityRecords[IdentityKind] | undefined,
): string[] {
  if (kind === 'group') return [`group:${accountId}:${key}`];
  if (kind !== 'policy') return [];
  return [before, after].flatMap((record) => (record === undefined ? [] : [(record as PolicyRecord).arn]));
}
