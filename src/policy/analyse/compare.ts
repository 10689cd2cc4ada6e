import type { CompiledPolicy } from '../compiled-policy.ts';
import type { StepBudget } from '../steps.ts';
import type { AuthorizationReference } from '../validate/reference.ts';
import { grantsNothingNew, neverBoth } from './proof.ts';
import { type AskedAs, type Search, type Witness, witnessesOf } from './search.ts';
import { universeOf } from './universe.ts';

/** What is known of one statement: a request shows it, what is written proves the contrary, or neither. */
export type Grant =
  | { readonly statement: number; readonly sid?: string; readonly known: 'shown'; readonly witnesses: readonly Witness[] }
  | { readonly statement: number; readonly sid?: string; readonly known: 'notExcluded' };

/** One difference between two versions of a policy, with a request that they decide differently. */
export interface AccessDifference {
  /** `granted`: the updated policy allows the request, the existing one does not. `withdrawn`: the other way round. */
  readonly change: 'granted' | 'withdrawn';
  /** The statement that allows it: of the updated policy where it is granted, of the existing one where it is withdrawn. */
  readonly statement: number;
  readonly sid?: string;
  readonly witness: Witness;
}

/** Comparisons that the search for examples of one analysis may make. After them, access that is not excluded is reported as possible. */
const COMPARISONS_MAX = 1_000_000;

/**
 * Statements of the updated policy that allow what the existing one did not: those a request shows, and those for which it can
 * neither be shown nor excluded. None means that it is proven: the updated policy grants nothing new.
 *
 * @throws StepsExceeded
 * Assumed: a policy is judged alone, as CheckNoNewAccess does; what other policies allow or deny does not count.
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
 * Statements of a policy that allow what another policy (of one Allow that says what is asked about) allows as well.
 * None means that it is proven: the policy grants nothing of it.
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
    // A principal's own policy that names principals allows nobody, and so does a resource's that names none.
    const allows = statement.effect === 'Allow' && (search.askedAs === 'resource') === (statement.principals !== undefined);
    if (!allows || excluded(statement)) return [];
    const witnesses = witnessesOf(statement, search);
    const named = { statement: index, ...(statement.sid === undefined || statement.sid === '' ? {} : { sid: statement.sid }) };
    return [witnesses.length > 0 ? { ...named, known: 'shown', witnesses } : { ...named, known: 'notExcluded' }];
  });
}

/**
 * What two versions of a policy decide differently, each difference with a request that shows it: one for each statement and each class
 * of actions that the patterns tell apart.
 *
 * Every witness has been decided by the engine for both versions. `complete` is false where a difference can neither be shown nor
 * excluded; a version that only says the same in other words is complete only if that is plain from what is written.
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
