import type { AccountId } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import { compilePolicy, type PolicyLayers, type SourcedPolicy } from '#policy/engine.ts';
import type {
  GroupRecord,
  IdentityChange,
  IdentityKind,
  IdentityRecords,
  PolicyRecord,
  RoleRecord,
  UserRecord,
} from '#store/identity/identity.ts';
import type { CompiledPolicies } from './compiled-policies.ts';
import { serviceControlLevels } from './service-control.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Policies of each principal by policy type, without session policies. They are collected at the first request, and again after a change of
 * identity that affects the principal.
 */
export interface PrincipalLayers {
  /**
   * Returns the policies of a principal: the same object until they change.
   *
   * @throws Error  an attached policy does not exist or cannot be compiled. Evaluation fails closed (EVAL-12).
   */
  of(principal: Principal): PolicyLayers;
}

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

/** Policies of a deleted principal, and of AWS services. They allow nothing. */
const NO_POLICIES: PolicyLayers = { identity: [] };

/** Kinds of records that affect only some principals of one account. */
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

/**
 * Creates the policies of a snapshot's principals and follows its changes. `onChange` runs if the policies of all principals may have
 * changed.
 */
export function principalLayers(snapshot: Snapshot, policies: CompiledPolicies, onChangeOfAll: () => void): PrincipalLayers {
  const layers = newDependentCache<PolicyLayers>();

  function groupOfId(groupId: string): GroupRecord {
    const group = snapshot.groupById(groupId);
    // The group of a user always exists. If a bug removes it, evaluation fails closed, because the group may have denied something.
    if (group === undefined) throw new Error(`the group '${groupId}' does not exist`);
    return group;
  }

  function ofUser(user: UserRecord): PolicyLayers {
    const { accountId, userName, permissionsBoundaryArn } = user;
    return layers.get(userKey(accountId, userName), (dependsOn) => {
      const groups = user.groupIds.map(groupOfId);
      dependsOn(user.attachedPolicyArns);
      for (const { groupName, attachedPolicyArns } of groups) dependsOn([groupKey(accountId, groupName), ...attachedPolicyArns]);
      if (permissionsBoundaryArn !== undefined) dependsOn([permissionsBoundaryArn]);
      const serviceControl = serviceControlLevels(snapshot, accountId, policies.of);
      return {
        identity: [
          ...policies.heldBy(user, `user/${userName}`),
          ...groups.flatMap((group) => policies.heldBy(group, `group/${group.groupName}`)),
          ...(snapshot.account(accountId)?.passwordPolicy?.allowUsersToChangePassword ? [OWN_PASSWORD] : []),
        ],
        ...(permissionsBoundaryArn !== undefined && { boundary: [policies.managed(permissionsBoundaryArn)] }),
        ...(serviceControl !== undefined && { serviceControl }),
      };
    });
  }

  function ofRole(role: RoleRecord): PolicyLayers {
    const { accountId, roleName, attachedPolicyArns, permissionsBoundaryArn } = role;
    return layers.get(roleKey(accountId, roleName), (dependsOn) => {
      dependsOn(attachedPolicyArns);
      if (permissionsBoundaryArn !== undefined) dependsOn([permissionsBoundaryArn]);
      const identity = policies.heldBy(role, `role/${roleName}`);
      // Service-linked roles are exempt from boundaries and service control policies. Requirement SLR-16.
      if (role.linkedService !== undefined) return { identity };
      const serviceControl = serviceControlLevels(snapshot, accountId, policies.of);
      return {
        identity,
        ...(permissionsBoundaryArn !== undefined && { boundary: [policies.managed(permissionsBoundaryArn)] }),
        ...(serviceControl !== undefined && { serviceControl }),
      };
    });
  }

  function ofRoot(accountId: AccountId): PolicyLayers {
    return layers.get(`root:${accountId}`, () => {
      const serviceControl = serviceControlLevels(snapshot, accountId, policies.of);
      return { identity: [], root: true, ...(serviceControl !== undefined && { serviceControl }) };
    });
  }

  snapshot.watch((change, before) => {
    if (!BOUND_TO_PRINCIPALS.has(change.kind)) {
      // Other changes that affect permissions (service control policies, organizations) are rare, so they drop all policies.
      layers.clear();
      onChangeOfAll();
      return;
    }
    const { accountId, key } = change;
    if (change.kind === 'user') layers.drop(userKey(accountId, key));
    else if (change.kind === 'role') layers.drop(roleKey(accountId, key));
    else if (change.kind === 'group') layers.dropDependents(groupKey(accountId, key));
    else for (const policyArn of policyArnsOf(change, before)) layers.dropDependents(policyArn);
  });

  return {
    of(principal) {
      const { accountId } = principal;
      switch (principal.type) {
        case 'Root':
          return ofRoot(accountId);
        case 'IAMUser': {
          const user = snapshot.user(accountId, principal.userName);
          return user === undefined ? NO_POLICIES : ofUser(user);
        }
        case 'AssumedRole': {
          const role = snapshot.role(accountId, principal.roleName);
          return role === undefined || role.roleId !== principal.roleId ? NO_POLICIES : ofRole(role);
        }
        case 'FederatedUser': {
          if (principal.issuerArn.endsWith(':root')) return ofRoot(accountId);
          const name = principal.issuerArn.slice(principal.issuerArn.lastIndexOf('/') + 1);
          const user = snapshot.user(accountId, name);
          return user === undefined || user.userId !== principal.issuerId ? NO_POLICIES : ofUser(user);
        }
        case 'AWSService':
        case 'Unknown':
          return NO_POLICIES;
      }
    },
  };
}

function userKey(accountId: AccountId, userName: string): string {
  return `user:${accountId}:${userName.toLowerCase()}`;
}

function groupKey(accountId: AccountId, groupName: string): string {
  return `group:${accountId}:${groupName.toLowerCase()}`;
}

function roleKey(accountId: AccountId, roleName: string): string {
  return `role:${accountId}:${roleName.toLowerCase()}`;
}

/** Returns the ARNs of a changed policy. */
function policyArnsOf({ kind, record }: IdentityChange, before: IdentityRecords[IdentityKind] | undefined): readonly string[] {
  if (kind !== 'policy') return [];
  return [before, record].flatMap((each) => (each === undefined ? [] : [(each as PolicyRecord).arn]));
}

/** Cache whose entries depend on named records. */
interface DependentCache<Value> {
  /** Returns the entry of a key. If there is none, `create` creates it and reports the names of the records that it depends on. */
  get(key: string, create: (dependsOn: (names: readonly string[]) => void) => Value): Value;
  drop(key: string): void;
  /** Drops the entries that depend on a record. */
  dropDependents(name: string): void;
  clear(): void;
}

function newDependentCache<Value>(): DependentCache<Value> {
  const entries = new Map<string, Value>();
  /** Keys of the dependent entries, by the record's name. */
  const dependents = new Map<string, Set<string>>();
  return {
    get(key, create) {
      let value = entries.get(key);
      if (value === undefined) {
        value = create((names) => {
          for (const name of names) {
            let keys = dependents.get(name);
            if (keys === undefined) dependents.set(name, (keys = new Set()));
            keys.add(key);
          }
        });
        entries.set(key, value);
      }
      return value;
    },
    drop: (key) => void entries.delete(key),
    dropDependents(name) {
      for (const key of dependents.get(name) ?? []) entries.delete(key);
      dependents.delete(name);
    },
    clear() {
      entries.clear();
      dependents.clear();
    },
  };
}
