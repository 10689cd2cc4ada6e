import { diceOf, generatePolicies, generateRequest } from './generate-policies.ts';
import { decideCase, disagreement, toExpected, toLayers, toRequest } from './policy-case.ts';
import { shrink } from './shrink.ts';

const REQUESTS_EACH = 5;

/**
 * Decides generated cases with the engine's fast path, and with the slower path that explains a decision. `cases` is the number of cases.
 *
 * Returns `undefined` if the two decisions always agree. Otherwise returns the smallest case in which they differ, in the format of
 * `test/cases/policy/`.
 */
export function firstDisagreement(seed: number, cases: number): string | undefined {
  for (let i = 0; i < cases; i += REQUESTS_EACH) {
    const dice = diceOf(seed + i);
    const policies = generatePolicies(dice);
    const layers = toLayers(policies);
    for (let k = 0; k < REQUESTS_EACH; k++) {
      const request = generateRequest(dice);
      const found = disagreement(layers, toRequest(request));
      if (found === undefined) continue;
      const smallest = shrink({ policies, request }, (one) => disagreement(toLayers(one.policies), toRequest(one.request)) !== undefined);
      const expect = toExpected(decideCase(smallest.policies, smallest.request));
      return `seed ${seed + i}: ${found}\n${JSON.stringify({ title: found, source: `generated, seed ${seed + i}`, ...smallest, expect }, null, 2)}`;
    }
  }
  return undefined;
}
