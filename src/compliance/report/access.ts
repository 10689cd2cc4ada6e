/**
 * Who may do what: the actions that each user, role and root user may perform, and the policies and statements that allow them.
 *
 * An action counts as allowed if a request for it could be: an identity policy allows it, the boundary and each level of service control
 * policies allow it too, and no statement denies it for every resource and request. Resources, conditions and session policies can deny a
 * request for such an action, so the report never says too little. The file of policies has all statements.
 */
import { type AccountId, arn } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Principal } from '#core/principal.ts';
import { compilePolicy, type PolicyLayers, type SourcedPolicy } from '#policy/engine.ts';
import { shownTrustPolicy } from '#services/iam/trust.ts';
import type { GroupRecord, RoleRecord, UserRecord } from '#store/identity/identity.ts';
import { identity } from '#store/identity/repository.ts';
import type { Sql } from '#store/sql.ts';
import { described, excerpt, excerptOf, list, type Of, object, oneOf, optional, text, whole } from '../shape.ts';
import { type AccountIdentity, accountIdentity } from './account-identity.ts';
import {
  type ActionSet,
  actionsOfPolicy,
  addAll,
  emptySet,
  fullSet,
  hasBit,
  keepOnly,
  knownServices,
  namesIn,
  removeAll,
} from './action-sets.ts';
import { type PolicyStatements, statementsOf } from './policy-statements.ts';
import type { LineFile, ReportFolder } from './report-folder.ts';
import { topItems } from './top-items.ts';

const FACTS = {
  accountId: text,
  arn: text,
  type: oneOf('Root', 'IAMUser', 'Role'),
  linkedService: described(optional(text), 'Service that alone can use the role.'),
  groups: described(list(text), 'Groups of the user.'),
  trusts: described(optional(list(text)), 'Principals that the trust policy of the role allows, and * for all.'),
  problem: described(optional(text), 'Reason why every request of the principal is denied: its policies cannot be evaluated.'),
} as const;
const POLICY = object({
  policy: described(text, 'ARN of a managed policy, or the holder and the name of an inline policy, as in decisions.'),
  groups: described(optional(list(text)), 'Groups through which the user has the policy. Absent if the policy is its own.'),
});
const SERVICE = {
  service: described(text, 'Action prefix of the service.'),
  actions: described(whole, 'Number of actions that some request may perform.'),
  of: described(whole, 'Number of actions of the service.'),
  by: described(list(text), 'Statements of identity policies that allow them: policy#index, counted from 0.'),
} as const;

/** A principal in the file of all principals. */
export const PRINCIPAL = object({
  ...FACTS,
  policies: list(POLICY),
  boundary: optional(list(text)),
  serviceControl: described(optional(list(list(text))), 'Service control policies of each level, from the root of the organization down.'),
  services: list(
    object({ ...SERVICE, names: described(optional(list(text)), 'The actions. Absent if they are all actions of the service.') }),
  ),
});
type PrincipalAccess = Of<typeof PRINCIPAL>;

/** A principal in the report. */
const BRIEF = object({
  ...FACTS,
  policies: list(text),
  morePolicies: whole,
  boundary: described(optional(list(text)), 'Permissions boundary.'),
  serviceControl: described(optional(list(list(text))), 'Service control policies of each level, from the root of the organization down.'),
  services: list(
    object({
      ...SERVICE,
      moreBy: whole,
      names: list(text),
      moreNames: whole,
      except: described(optional(list(text)), 'The other actions of the service, which no request may perform. Absent if they are many.'),
    }),
  ),
});
export type BriefPrincipal = Of<typeof BRIEF>;

export const ACCESS = object({
  meaning: text,
  users: whole,
  roles: whole,
  administrators: described(whole, 'Users and roles that may perform every action that the server knows.'),
  principals: described(excerpt(BRIEF), 'Principals with the most actions first.'),
  policiesFile: described(text, 'File with all statements of the policies, one policy in each line.'),
});
export type Access = Of<typeof ACCESS>;

/** Limits of the report. The files have everything. */
export const ACCESS_LIMITS = { principals: 200, policies: 12, statements: 6, names: 12 } as const;

const MEANING =
  'An action is listed if some request for it could be allowed. Resources, conditions and session policies can deny the request. Only actions of services that this server has are listed. Conditions of a trust policy can limit the principals that a role trusts. A number after a policy names a statement: #0 is the first one.';

/** Writes the files about access, and returns the section of the report. Needs memory for the groups and managed policies of one account at a time. */
export async function accessSection(sql: Sql, accountIds: readonly AccountId[], folder: ReportFolder): Promise<Access> {
  const principals = folder.lines('access.jsonl');
  const policies = folder.lines('policies.jsonl');
  const top = topItems<BriefPrincipal>(ACCESS_LIMITS.principals, (a, b) => actionCount(b) - actionCount(a));
  const counts = { users: 0, roles: 0, administrators: 0 };
  const written = new Set<string>();
  for (const accountId of accountIds) {
    const found = await accountIdentity(sql, accountId);
    if (found.snapshot.account(accountId) === undefined) continue;
    const write = policyWriter(policies, accountId, written);
    for await (const { access, isAdministrator } of principalsOf(sql, accountId, found, write)) {
      principals.add(access);
      top.add(briefOf(access));
      if (access.type === 'IAMUser') counts.users++;
      if (access.type === 'Role') counts.roles++;
      if (isAdministrator && access.type !== 'Root') counts.administrators++;
    }
  }
  principals.close();
  policies.close();
  return {
    meaning: MEANING,
    ...counts,
    principals: excerptOf(top.items(), top.total(), principals),
    policiesFile: policies.name,
  };
}

interface Found {
  readonly access: PrincipalAccess;
  readonly isAdministrator: boolean;
}
type WritePolicy = (policyType: PolicyStatements['policyType'], policy: SourcedPolicy) => void;

/** Returns a function that writes each policy once. Policies of AWS are the same in all accounts. */
function policyWriter(file: LineFile, accountId: AccountId, written: Set<string>): WritePolicy {
  return (policyType, source) => {
    const isOfAws = source.policyId.startsWith('arn:aws:iam::aws:');
    const key = `${isOfAws ? '' : accountId} ${policyType} ${source.policyId}`;
    if (written.has(key)) return;
    written.add(key);
    file.add({ ...(!isOfAws && { accountId }), ...statementsOf(policyType, source) });
  };
}

async function* principalsOf(sql: Sql, accountId: AccountId, found: AccountIdentity, write: WritePolicy): AsyncGenerator<Found> {
  const { snapshot } = found;
  const rootArn = arn('iam', '', accountId, 'root');
  yield accessOf(
    found,
    { type: 'Root', accountId, arn: rootArn, principalId: accountId },
    { arn: rootArn, type: 'Root', groups: [] },
    write,
  );
  for await (const user of found.users()) {
    const groups = user.groupIds.flatMap((groupId) => snapshot.groupById(accountId, groupId) ?? []);
    const caller = { type: 'IAMUser', accountId, arn: user.arn, principalId: user.userId, userName: user.userName } as const;
    const facts = { arn: user.arn, type: 'IAMUser', groups: groups.map(({ groupName }) => groupName) } as const;
    yield accessOf(found, caller, facts, write, user, groups);
  }
  const reads = { identity: identity(sql) };
  const shownIds = new Map<string, string>();
  for await (const role of found.roles()) {
    const trusts = trustedBy(await shownTrustPolicy(reads, role, shownIds), role, write);
    const facts = { arn: role.arn, type: 'Role', groups: [], trusts, ...omitUndefined({ linkedService: role.linkedService }) } as const;
    yield accessOf(found, sessionOf(role), facts, write);
  }
}

/** Returns a session of a role without session policies. */
function sessionOf({ accountId, arn: roleArn, roleId, roleName }: RoleRecord): Principal {
  const [issuedAt, expiresAt] = [instant(0), instant(0)];
  const session = { issuedAt, expiresAt, mfaAuthenticated: false, tags: {}, transitiveTagKeys: [], chained: false };
  const sessionName = 'report';
  const sessionArn = arn('sts', '', accountId, `assumed-role/${roleName}/${sessionName}`);
  const principalId = `${roleId}:${sessionName}`;
  return { type: 'AssumedRole', accountId, arn: sessionArn, principalId, roleArn, roleId, roleName, sessionName, session };
}

/** Returns the principals that the Allow statements of a trust policy name. */
function trustedBy(document: string, { roleName }: RoleRecord, write: WritePolicy): readonly string[] {
  const policy = compilePolicy(document);
  write('trust', { policyId: `role/${roleName}`, policy });
  const trusted = new Set<string>();
  for (const { effect, principals } of policy.lowered.statements) {
    if (effect !== 'Allow' || principals === undefined) continue;
    if (principals.anyone || principals.not) trusted.add('*');
    for (const { value } of principals.entries) trusted.add(value);
  }
  return [...trusted];
}

type Facts = Pick<PrincipalAccess, 'arn' | 'type' | 'groups' | 'trusts' | 'linkedService'>;

function accessOf(
  { stacks }: AccountIdentity,
  caller: Principal,
  facts: Facts,
  write: WritePolicy,
  user?: UserRecord,
  groups: readonly GroupRecord[] = [],
): Found {
  const { accountId } = caller;
  let layers: PolicyLayers;
  try {
    layers = stacks.layersOf(caller);
  } catch (error) {
    const access = { accountId, ...facts, policies: [], services: [], problem: (error as Error).message };
    return { access, isAdministrator: false };
  }
  for (const source of layers.identity) write('identity', source);
  for (const source of layers.boundary ?? []) write('boundary', source);
  for (const source of layers.serviceControl?.flat() ?? []) write('service-control', source);
  const allowed = allowedActions(layers);
  const all = fullSet();
  const ids = (policies: readonly SourcedPolicy[]) => policies.map(({ policyId }) => policyId);
  const access = {
    accountId,
    ...facts,
    policies: [...new Set(ids(layers.identity))].map((policy) => ({ policy, ...throughGroups(policy, user, groups) })),
    ...omitUndefined({ boundary: layers.boundary && ids(layers.boundary), serviceControl: layers.serviceControl?.map(ids) }),
    services: servicesOf(layers, allowed),
  };
  return { access, isAdministrator: allowed.every((word, i) => word === all[i]) };
}

/** Returns the groups through which a user has a policy, unless the policy is its own. */
function throughGroups(policy: string, user: UserRecord | undefined, groups: readonly GroupRecord[]) {
  if (user === undefined || user.attachedPolicyArns.some((each) => each === policy)) return {};
  const names = groups
    .filter(
      ({ groupName, attachedPolicyArns }) => attachedPolicyArns.some((each) => each === policy) || policy.startsWith(`group/${groupName}:`),
    )
    .map(({ groupName }) => groupName);
  return names.length === 0 ? {} : { groups: names };
}

/** Returns the actions that some request of a principal with these policies may perform. */
export function allowedActions({ identity: own, root, boundary, serviceControl = [] }: PolicyLayers): ActionSet {
  const allowed = root === true ? fullSet() : allowedBy(own);
  if (boundary !== undefined) keepOnly(allowed, allowedBy(boundary));
  for (const level of serviceControl) keepOnly(allowed, allowedBy(level));
  for (const { policy } of [...own, ...(boundary ?? []), ...serviceControl.flat()]) removeAll(allowed, actionsOfPolicy(policy).denied);
  return allowed;
}

function allowedBy(policies: readonly SourcedPolicy[]): ActionSet {
  const allowed = emptySet();
  for (const { policy } of policies) for (const { actions } of actionsOfPolicy(policy).allows) addAll(allowed, actions);
  return allowed;
}

function servicesOf({ identity: own }: PolicyLayers, allowed: ActionSet): PrincipalAccess['services'] {
  return knownServices().flatMap((service) => {
    const names = namesIn(allowed, service);
    if (names.length === 0) return [];
    const bits = service.names.map((_, i) => service.firstBit + i).filter((bit) => hasBit(allowed, bit));
    const by = own.flatMap(({ policyId, policy }) =>
      actionsOfPolicy(policy)
        .allows.filter(({ actions }) => bits.some((bit) => hasBit(actions, bit)))
        .map(({ statement }) => `${policyId}#${statement}`),
    );
    const of = service.names.length;
    return [{ service: service.prefix, actions: names.length, of, by: [...new Set(by)], ...(names.length < of && { names }) }];
  });
}

function briefOf({ policies, services, ...facts }: PrincipalAccess): BriefPrincipal {
  const names = (all: readonly string[] = []) => all.slice(0, ACCESS_LIMITS.names);
  const kept = policies.slice(0, ACCESS_LIMITS.policies).map(({ policy }) => policy);
  return {
    ...facts,
    policies: kept,
    morePolicies: policies.length - kept.length,
    services: services.map((each) => {
      const by = each.by.slice(0, ACCESS_LIMITS.statements);
      const shown = names(each.names);
      const { service, actions, of } = each;
      return {
        service,
        actions,
        of,
        by,
        moreBy: each.by.length - by.length,
        names: shown,
        moreNames: (each.names?.length ?? 0) - shown.length,
        ...omitUndefined({ except: exceptOf(each) }),
      };
    }),
  };
}

/** Returns the actions that a principal may not perform, if it may perform more than the others and these are as few as the report lists. */
function exceptOf({ service, actions, of, names }: PrincipalAccess['services'][number]): readonly string[] | undefined {
  if (names === undefined || of - actions > ACCESS_LIMITS.names || of - actions > actions) return undefined;
  const allowed = new Set(names);
  return knownServices()
    .find(({ prefix }) => prefix === service)
    ?.names.filter((name) => !allowed.has(name));
}

function actionCount({ services }: BriefPrincipal): number {
  return services.reduce((sum, { actions }) => sum + actions, 0);
}
