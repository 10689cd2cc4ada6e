import { type Arn, isServiceLinkedRoleArn } from '#core/arn.ts';
import type { Principal } from '#core/principal.ts';
import type { Denial, OverLimit, PolicyType, StatementRef } from '#policy/decision.ts';
import { compilePolicy, linkStack, type PolicyLayers, type SourcedPolicy } from '#policy/engine.ts';
import type { ResourcePolicy } from '../compiled-policies.ts';
import type { Stacks } from '../stacks.ts';
import { literalResource } from './literal-resource.ts';

/** Statement that one policy type lacks, so that a request is denied. It allows the action on the resource, without conditions. */
export interface Grant {
  readonly policyType: PolicyType;
  /** Where the statement belongs: ARN of a user, role, policy, root, organizational unit, account or resource. */
  readonly target: string;
  /** Level of service control policies, from 0 for the root. */
  readonly level?: number;
  readonly statement: GrantStatement;
}

/** Statement of a grant, as in a policy. */
export interface GrantStatement {
  readonly Effect: 'Allow';
  readonly Principal?: { readonly AWS: string } | { readonly Federated: string } | { readonly Service: string };
  readonly Action: string;
  readonly Resource?: string;
}

/** Name of a granted policy in decisions. It begins with a space, so that no stored policy has it. */
const GRANT_ID = ' grant';

/** Returns a policy with one statement, as decisions use it. */
function sourced(statement: GrantStatement): SourcedPolicy {
  return { policyId: GRANT_ID, policy: compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statement })) };
}

/** Returns a policy with an additional statement. */
function withStatement(text: string, statement: GrantStatement): string {
  const document = JSON.parse(text) as { readonly Statement: unknown };
  return JSON.stringify({ ...document, Statement: [document.Statement, statement].flat() });
}

/**
 * Returns stacks of principals as if grants were added. All decisions must have the same principal, role and resource-based policy, because
 * the grants apply to all of them.
 */
export function stacksWith(stacks: Stacks, grants: readonly Grant[]): Stacks {
  const of = (policyType: PolicyType) => grants.filter((grant) => grant.policyType === policyType);
  const added = (policyType: PolicyType) => of(policyType).map(({ statement }) => sourced(statement));
  const layersOf = (principal: Principal): PolicyLayers => {
    const { identity, boundary, session, serviceControl, ...rest } = stacks.layersOf(principal);
    return {
      ...rest,
      identity: [...identity, ...added('identity')],
      ...(boundary !== undefined && { boundary: [...boundary, ...added('boundary')] }),
      ...(session !== undefined && { session: [...session, ...added('session')] }),
      ...(serviceControl !== undefined && {
        serviceControl: serviceControl.map((level, i) => [
          ...level,
          ...of('service-control').flatMap((grant) => (grant.level === i ? [sourced(grant.statement)] : [])),
        ]),
      }),
    };
  };
  const withAll = (text: string, policyType: PolicyType): string =>
    of(policyType).reduce((changed, { statement }) => withStatement(changed, statement), text);
  return {
    ...stacks,
    layersOf,
    stackOf: (principal) => linkStack(layersOf(principal)),
    trustOf: (role) => compilePolicy(withAll(role.trustPolicy, 'trust')),
    resourcePolicyOf: (text): ResourcePolicy => ({ ...stacks.resourcePolicyOf(text), policy: compilePolicy(withAll(text, 'resource')) }),
  };
}

/** Facts for which a missing grant is determined. */
export interface MissingGrant {
  readonly principal: Principal;
  readonly action: string;
  readonly resource: string;
  readonly denial: Denial | OverLimit;
  readonly layers: PolicyLayers;
  /** First level of service control policies that does not allow the action. */
  readonly silentLevel: number | undefined;
  /** Targets of the levels of service control policies, from the root to the account. */
  readonly levelTargets: readonly string[];
  /** ARN of the role that the action assumes. */
  readonly role: string | undefined;
  /** Whether the operation reads a resource-based policy. Otherwise no policy can allow access from another account. */
  readonly readsResourcePolicy: boolean;
}

/** Result: the grant that is missing, or the reason why no grant helps. */
export type Missing =
  | { readonly grant: Grant }
  | { readonly by: StatementRef }
  | { readonly because: 'limit' | 'no policies' | 'another account' | 'suspended' };

/** Returns the grant that a denial lacks. A later decision can lack another one, because a denial names one policy type. */
export function missingGrant(facts: MissingGrant): Missing {
  const { principal, action, resource, denial, layers, silentLevel, levelTargets, role, readsResourcePolicy } = facts;
  if (denial.kind === 'limit') return { because: 'limit' };
  if (denial.kind === 'explicit') return { by: denial.by };
  const statement = { Effect: 'Allow', Action: action, Resource: literalResource(resource) } as const;
  switch (denial.missing) {
    case 'identity': {
      const target = holderOf(principal);
      return target === undefined ? { because: 'no policies' } : { grant: { policyType: 'identity', target, statement } };
    }
    case 'boundary': {
      const target = layers.boundary?.[0]?.policyArn;
      return target === undefined ? { because: 'no policies' } : { grant: { policyType: 'boundary', target, statement } };
    }
    case 'session':
      return { grant: { policyType: 'session', target: principal.arn, statement } };
    case 'service-control': {
      const target = silentLevel === undefined ? undefined : levelTargets[silentLevel];
      if (silentLevel === undefined || target === undefined) return { because: 'suspended' };
      return { grant: { policyType: 'service-control', target, level: silentLevel, statement } };
    }
    case 'trust': {
      const named = principalElement(principal);
      if (role === undefined || named === undefined) return { because: 'no policies' };
      return { grant: { policyType: 'trust', target: role, statement: { Effect: 'Allow', Principal: named, Action: action } } };
    }
    case 'resource': {
      const named = principalElement(principal);
      if (!readsResourcePolicy || named === undefined) return { because: 'another account' };
      return {
        grant: {
          policyType: 'resource',
          target: resource,
          statement: { ...statement, Principal: named },
        },
      };
    }
  }
}

/** Returns the ARN of the user or role whose identity policies decide, if its account can change them. */
function holderOf(principal: Principal): Arn | undefined {
  switch (principal.type) {
    case 'IAMUser':
      return principal.arn;
    case 'AssumedRole':
      // Source: IAM User Guide, "Create a service-linked role": only the service can change its permissions.
      return isServiceLinkedRoleArn(principal.roleArn) ? undefined : principal.roleArn;
    case 'FederatedUser':
      return principal.issuerArn.endsWith(':root') ? undefined : principal.issuerArn;
    default:
      return undefined;
  }
}

/** Returns the Principal element that names a caller and no other one. */
function principalElement(principal: Principal): GrantStatement['Principal'] | undefined {
  switch (principal.type) {
    case 'IAMUser':
    case 'AssumedRole':
    case 'FederatedUser':
    case 'Root':
      return { AWS: principal.type === 'AssumedRole' ? principal.roleArn : principal.arn };
    case 'AWSService':
      return { Service: principal.service };
    case 'Unknown':
      return principal.federation === undefined ? undefined : { Federated: principal.federation.provider };
  }
}
