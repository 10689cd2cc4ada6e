/**
 * Determines the services in which policies allow an action.
 *
 * Source: IAM User Guide, "Refine permissions in AWS using last accessed information": policies of identities only.
 * Assumed: Deny statements are ignored.
 */
import { compileSteps, tryCompilePolicy } from '../compile.ts';
import { matchesText } from '../glob-match.ts';
import { type StepBudget, takeSteps } from '../steps.ts';

/**
 * Returns the prefixes of the services in which a policy allows at least one action. Returns an empty list for an
 * invalid document.
 *
 * @throws StepsExceeded  the analysis exceeds its budget
 */
export function grantedServices(document: string, services: ReadonlySet<string>, budget: StepBudget): string[] {
  takeSteps(budget, compileSteps(document));
  const compiled = tryCompilePolicy(document);
  if (!('policy' in compiled)) return [];
  const granted = new Set<string>();
  for (const { effect, actions } of compiled.policy.lowered.statements) {
    if (effect !== 'Allow' || granted.size === services.size) continue;
    const named = new Set<string>();
    for (const { everything, service, name } of actions.patterns) {
      // The NotAction pattern `chime:*` excludes all actions of a service. A pattern such as `chime:Get*` leaves some
      // actions allowed.
      if (actions.not && !everything && !matchesText(name, '')) continue;
      for (const prefix of services) {
        if (named.has(prefix)) continue;
        takeSteps(budget, 2);
        if (everything || matchesText(service, prefix, 0, prefix.length, budget)) named.add(prefix);
      }
    }
    for (const prefix of services) if (named.has(prefix) !== actions.not) granted.add(prefix);
  }
  return [...services].filter((prefix) => granted.has(prefix));
}
