import type { CompiledPolicy } from '../compiled-policy.ts';
import type { StepBudget } from '../steps.ts';
import type { AuthorizationReference } from '../validate/reference.ts';
import { grantsNothingNew, neverBoth } from './proof.ts';
import { type AskedAs, type Search, type Witness, witnessesOf } from './search.ts';
import { universeOf } from './universe.ts';

/**
 * Statement that grants, or may grant, the access for which the analysis searches. `shown`: example requests show that
 * the statement grants the access. `notExcluded`: the analysis can neither show nor exclude that the statement grants
 * the access.
 */
export type Grant =
  | { readonly statement: number; readonly sid?: string; readonly known: 'shown'; readonly witnesses: readonly Witness[] }
  | { readonly statement: number; readonly sid?: string; readonly known: 'notExcluded' };

/** Difference between two versions of a policy, with a request that they decide differently. */
export interface AccessDifference {
  /** `granted`: only the updated policy allows the request. `withdrawn`: only the existing policy allows it. */
  readonly change: 'granted' | 'withdrawn';
  /**
   * Index of the statement that allows the request. It is a statement of the updated policy for `granted`, and of the
   * existing policy for `withdrawn`.
   */
  readonly statement: number;
  readonly sid?: string;
  readonly witness: Witness;
}

/**
 * Maximum number of comparisons (of an example request with a statement or a context key) in one analysis. After this
 * number, the search for examples ends. A statement without an example or a proof is then reported as `notExcluded`.
 */
const COMPARISONS_MAX = 1_000_000;

/**
 * Returns the statements of the updated policy that allow new access, and those for which new access cannot be
 * excluded. An empty result proves that the updated policy grants no new access.
 *
 * @throws StepsExceeded  the analysis exceeds its budget
 * Assumed: each policy is evaluated alone, as in CheckNoNewAccess. The principal's other policies do not count.
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
 * Returns the statements of `policy` that allow some of the access in question. `asked` is a policy whose only
 * statement allows exactly this access. An empty result proves that `policy` grants none of this access.
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
 * Returns the differences between two versions of a policy. Each difference has a request that the two versions decide
 * differently. Actions that match the same statements form a class. For each statement, the result has at most one
 * difference per class.
 *
 * The engine has decided each request with both versions. `complete` is false if the analysis can neither show nor
 * exclude a further difference. This can also happen for two versions with the same meaning, if no proof is found that
 * they are equal.
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
