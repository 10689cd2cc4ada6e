import { compilePolicy } from '../compile.ts';
import type { CompiledPolicy } from '../compiled-policy.ts';
import { type StepBudget, StepsExceeded } from '../steps.ts';
import type { AuthorizationReference } from '../validate/reference.ts';
import { type Grant, grantedOf, newAccess } from './compare.ts';
import { type AnalyzedResource, outsideGrants } from './outside.ts';
import type { AskedAs } from './search.ts';

/**
 * Result of a check. `FAIL` means that the policy allows the access, or that the analysis cannot prove the contrary.
 * The API reference says that the policy "might allow" the access.
 */
export interface CheckAnswer {
  readonly result: 'PASS' | 'FAIL';
  readonly message: string;
  readonly reasons: readonly CheckReason[];
}

export interface CheckReason {
  readonly description: string;
  readonly statementIndex: number;
  readonly statementId?: string;
}

/**
 * Checks whether an updated policy allows a request that the existing one does not allow.
 *
 * @throws StepsExceeded  the analysis exceeds its budget
 * Source: IAM Access Analyzer API, CheckNoNewAccess. The message of a failed check is from its examples.
 * Assumed: a passed check has the same message with "do not grant".
 */
export function checkNoNewAccess(
  existing: CompiledPolicy,
  updated: CompiledPolicy,
  askedAs: AskedAs,
  reference: AuthorizationReference,
  budget: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY },
): CheckAnswer {
  const found = newAccess(existing, updated, askedAs, reference, budget);
  return answer(
    found,
    'New access in the',
    'The modified permissions grant new access compared to your existing policy.',
    'The modified permissions do not grant new access compared to your existing policy.',
  );
}

/**
 * Access to check: any of the actions on any of the resources. An absent or empty list means all actions or all
 * resources.
 */
export interface AskedAccess {
  readonly actions?: readonly string[];
  readonly resources?: readonly string[];
}

/**
 * Checks whether a policy allows any of the actions on any of the resources.
 *
 * @throws PolicyTextError  an action is invalid, or a resource is neither `*` nor an ARN
 * @throws StepsExceeded    the analysis exceeds its budget
 * Source: IAM Access Analyzer API, CheckAccessNotGranted. The message of a failed check is from its examples.
 * Assumed: a passed check has the same message with "does not grant".
 */
export function checkAccessNotGranted(
  policy: CompiledPolicy,
  access: AskedAccess,
  askedAs: AskedAs,
  reference: AuthorizationReference,
  budget: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY },
): CheckAnswer {
  const { actions = [], resources = [] } = access;
  const asked = compilePolicy(
    JSON.stringify({
      Version: '2008-10-17',
      Statement: { Effect: 'Allow', Action: actions.length > 0 ? actions : '*', Resource: resources.length > 0 ? resources : '*' },
    }),
  );
  const found = grantedOf(asked, policy, askedAs, reference, budget);
  const listed = resources.length === 0 ? 'actions' : actions.length === 0 ? 'resources' : 'actions or resources';
  return answer(
    found,
    `One or more of the listed ${listed} in the`,
    `The policy document grants access to perform one or more of the listed ${listed}.`,
    `The policy document does not grant access to perform the listed ${listed}.`,
  );
}

/**
 * Checks whether a policy of a resource allows public access. The meaning of public is that of findings of external access.
 *
 * @throws StepsExceeded  the analysis exceeds its budget
 * Source: IAM Access Analyzer API, CheckNoPublicAccess. The messages are from its examples.
 */
export function checkNoPublicAccess(policy: CompiledPolicy, resource: AnalyzedResource, budget: StepBudget): CheckAnswer {
  const found = outsideGrants(policy, resource, { accounts: () => false }, budget);
  // The search ends without an error, and then reports more access than a policy allows.
  if (budget.stepsLeft < 0) throw new StepsExceeded();
  const byStatement = new Map(found.filter(({ isPublic }) => isPublic).map((grant) => [grant.statement, grant]));
  return answer(
    [...byStatement.values()],
    'Public access granted in the following',
    'The resource policy grants public access for the given resource type.',
    'The resource policy does not grant public access for the given resource type.',
  );
}

function answer(found: readonly Pick<Grant, 'statement' | 'sid'>[], what: string, failed: string, passed: string): CheckAnswer {
  const reasons = found.map(({ statement, sid }) => ({
    description: `${what} statement with ${sid === undefined ? `index: ${statement}` : `sid: ${sid}`}.`,
    statementIndex: statement,
    ...(sid === undefined ? {} : { statementId: sid }),
  }));
  return reasons.length > 0 ? { result: 'FAIL', message: failed, reasons } : { result: 'PASS', message: passed, reasons };
}
