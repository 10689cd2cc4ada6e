import type { CompiledPolicy } from '../compiled-policy.ts';
import type { StepBudget } from '../steps.ts';
import type { AuthorizationReference } from '../validate/reference.ts';
import { grantsNothingNew, neverBoth } from './proof.ts';
import { type AskedAs, type Search, type Witness, witnessesOf } from './search.ts';
import { universeOf } from './universe.ts';

/** Result for one statement: access that an example request shows, or access that can neither be shown nor excluded. */
export type Grant =
  | { readonly statement: number; readonly sid?: string; readonly known: 'shown'; readonly witnesses: readonly Witness[] }
  | { readonly statement: number; readonly sid?: string; readonly known: 'notExcluded' };

/** Difference between two versions of a policy, with a request that they decide differently. */
export interface AccessDifference {
  /** `granted`: only the updated policy allows the request. `withdrawn`: only the existing policy allows it. */
  readonly change: 'granted' | 'withdrawn';
  /** Index of the statement that allows the request, in the updated policy for `granted`, and in the existing one for `withdrawn`. */
  readonly statement: number;
  readonly sid?: string;
  readonly witness: Witness;
}

/** Maximum comparisons of the search for examples in one analysis. After them, access that is not excluded is reported as possible. */
const COMPARISONS_MAX = 1_000_000;

/**
 * Returns the statements of the updated policy that allow new access: shown by a request, or neither shown nor excluded.
 * An empty result proves that the updated policy grants no new access.
 *
 * @throws StepsExceeded  the analysis exceeds its budget
 * Assumed: the policy is evaluated alone, as in CheckNoNewAccess. Other policies do not count.
 */
export function newAccess(
  existing: CompiledPolicy,
  updated: CompiledPolicy,
  askedAs: AskedAs,
  reference: AuthorizationReference,
  steps: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY },
): readonly Grant[] {
  const universe = universeOf([existing, updated], reference, steps);
  const search: Search = {
    allowing: updated,
    other: existing,
    wanted: 'onlyFirst',
    askedAs,
    otherAskedAs: askedAs,
    universe,
    budget: { left: COMPARISONS_MAX },
  };
  return grants(updated, search, (statement) => grantsNothingNew(statement, updated, existing, askedAs, steps));
}

/**
 * Returns the statements of `policy` that allow some of the access to check. `asked` is a policy with one Allow for this access.
 * An empty result proves that `policy` grants none of it.
 */
export function grantedOf(
  asked: CompiledPolicy,
  policy: CompiledPolicy,
  askedAs: AskedAs,
  reference: AuthorizationReference,
  steps: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY },
): readonly Grant[] {
  const universe = universeOf([policy, asked], reference, steps);
  const search: Search = {
    allowing: policy,
    other: asked,
    wanted: 'both',
    askedAs,
    otherAskedAs: 'identity',
    universe,
    budget: { left: COMPARISONS_MAX },
  };
  return grants(policy, search, (statement) => asked.lowered.statements.every((one) => neverBoth(statement, one, policy, askedAs, steps)));
}

function grants(
  policy: CompiledPolicy,
  search: Search,
  excluded: (statement: CompiledPolicy['lowered']['statements'][number]) => boolean,
): readonly Grant[] {
  return policy.lowered.statements.flatMap((statement, index): Grant[] => {
    // An identity policy with principals allows nothing, and neither does a resource policy without principals.
    const allows = statement.effect === 'Allow' && (search.askedAs === 'resource') === (statement.principals !== undefined);
    if (!allows || excluded(statement)) return [];
    const witnesses = witnessesOf(statement, search);
    const named = { statement: index, ...(statement.sid === undefined || statement.sid === '' ? {} : { sid: statement.sid }) };
    return [witnesses.length > 0 ? { ...named, known: 'shown', witnesses } : { ...named, known: 'notExcluded' }];
  });
}

/**
 * Returns the differences between two versions of a policy, each with a request. Returns one difference for each statement and each set
 * of actions that all patterns treat alike.
 *
 * The engine has decided each request with both versions. `complete` is false if a difference can neither be shown nor excluded. It is also
 * false for versions with the same meaning, unless a comparison of their statements proves this.
 */
export function comparePolicies(
  existing: CompiledPolicy,
  updated: CompiledPolicy,
  askedAs: AskedAs,
  reference: AuthorizationReference,
  steps: StepBudget = { stepsLeft: Number.POSITIVE_INFINITY },
): { readonly differences: readonly AccessDifference[]; readonly complete: boolean } {
  const both = [
    ['granted', newAccess(existing, updated, askedAs, reference, steps)],
    ['withdrawn', newAccess(updated, existing, askedAs, reference, steps)],
  ] as const;
  const differences = both.flatMap(([change, all]) =>
    all.flatMap((grant) => {
      if (grant.known !== 'shown') return [];
      const named = { change, statement: grant.statement, ...(grant.sid === undefined ? {} : { sid: grant.sid }) };
      return grant.witnesses.map((witness): AccessDifference => ({ ...named, witness }));
    }),
  );
  return { differences, complete: both.every(([, all]) => all.every(({ known }) => known === 'shown')) };
}
