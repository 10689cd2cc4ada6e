import type { AccountId } from '#core/arn.ts';
import { lruMap } from '#core/lru-map.ts';
import type { Principal } from '#core/principal.ts';
import { compilePolicy, type PolicyLayers, type SourcedPolicy } from '#policy/engine.ts';
import type { GroupRecord, IdentityKind, RoleRecord, UserRecord } from '#store/identity/identity.ts';
import { recordOf } from '#store/identity/record-parts.ts';
import type { CompiledPolicies } from './compiled-policies.ts';
import { serviceControlLevels } from './service-control.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Policies of each principal by policy type, without session policies. They are collected at the principal's first
 * request, and again after a change of an identity record that affects the principal.
 */
export interface PrincipalLayers {
  /**
   * Returns the policies of a principal. Returns the same object until the policies change.
   *
   * @throws Error  an attached policy does not exist or cannot be compiled. Evaluation fails closed (EVAL-12).
   */
  of(principal: Principal): PolicyLayers;
}

/**
 * Permissions of all users in an account whose password policy has AllowUsersToChangePassword. `Resource` is `*`, which
 * is safe because ChangePassword changes only the caller's own password.
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

/** Kinds of identity records. A change of such a record can affect only principals in the account of the record. */
export const BOUND_TO_PRINCIPALS: ReadonlySet<IdentityKind> = new Set([
  'user',
  'group',
  'role',
  'policy',
  'access-key',
  'saml-provider',
  'oidc-provider',
  'person-sign-in',
]);

/**
 * Maximum number of principals whose policies are cached. The cache then takes about 30 MB. The snapshot keeps the
 * parsed records of about as many principals (`PARSED_MAX`).
 */
const PRINCIPALS_MAX = 3_000;

/**
 * Creates the cache of principals' policies. When the snapshot changes, the cache drops the affected policies.
 * `onChangeOfAll` runs if the policies of all principals may have changed. `principalsMax` is the maximum number of
 * principals in the cache.
 */
export function principalLayers(
  snapshot: Snapshot,
  policies: CompiledPolicies,
  onChangeOfAll: () => void,
  principalsMax = PRINCIPALS_MAX,
): PrincipalLayers {
  const layers = newDependentCache<PolicyLayers>(principalsMax);

  function groupOfId(accountId: AccountId, groupId: string): GroupRecord {
    const group = snapshot.groupById(accountId, groupId);
    // The group of a user always exists. If a bug has removed it, the error denies the request, because the group may
    // have had a Deny policy.
    if (group === undefined) throw new Error(`the group '${groupId}' does not exist`);
    return group;
  }

  function ofUser(user: UserRecord): PolicyLayers {
    const { accountId, userName, permissionsBoundaryArn } = user;
    return layers.get(userKey(accountId, userName), (dependsOn) => {
      const groups = user.groupIds.map((groupId) => groupOfId(accountId, groupId));
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

  function dropAll(): void {
    layers.clear();
    onChangeOfAll();
  }

  snapshot.watch({
    changed({ accountId, kind, key, text }, before) {
      // Changes of other kinds, such as service control policies and organizations, are rare. So they drop the policies
      // of all principals.
      if (!BOUND_TO_PRINCIPALS.has(kind)) dropAll();
      else if (kind === 'user') layers.drop(userKey(accountId, key));
      else if (kind === 'role') layers.drop(roleKey(accountId, key));
      else if (kind === 'group') layers.dropDependents(groupKey(accountId, key));
      else if (kind === 'policy') {
        for (const each of [before, text]) if (each !== undefined) layers.dropDependents(recordOf(kind, each).arn);
      }
    },
    replaced: dropAll,
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

/** Cache whose entries depend on named records. In a full cache, a new entry replaces the least recently read entry. */
interface DependentCache<Value> {
  /**
   * Returns the entry of a key. If there is no entry, `create` creates it. `create` must call `dependsOn` with the
   * names of all records on which the entry depends.
   */
  get(key: string, create: (dependsOn: (names: readonly string[]) => void) => Value): Value;
  drop(key: string): void;
  /** Drops the entries that depend on a record. */
  dropDependents(name: string): void;
  clear(): void;
}

function newDependentCache<Value>(max: number): DependentCache<Value> {
  /** Entries with the names of the records that they depend on. */
  const entries = lruMap<string, { readonly value: Value; readonly names: readonly string[] }>(max, (key, { names }) => {
    for (const name of names) {
      const keys = dependents.get(name);
      keys?.delete(key);
      if (keys?.size === 0) dependents.delete(name);
    }
  });
  /** Keys of the dependent entries, by the record's name. */
  const dependents = new Map<string, Set<string>>();

  function add(key: string, value: Value, names: readonly string[]): void {
    entries.set(key, { value, names });
    for (const name of names) {
      let keys = dependents.get(name);
      if (keys === undefined) dependents.set(name, (keys = new Set()));
      keys.add(key);
    }
  }

  return {
    get(key, create) {
      const entry = entries.get(key);
      if (entry !== undefined) return entry.value;
      const names: string[] = [];
      const value = create((more) => void names.push(...more));
      add(key, value, names);
      return value;
    },
    drop: entries.delete,
    dropDependents(name) {
      for (const key of [...(dependents.get(name) ?? [])]) entries.delete(key);
    },
    clear() {
      entries.clear();
      dependents.clear();
    },
  };
}
