/**
 * Which services a policy lets one into at all.
 *
 * Source: IAM User Guide, "Refine permissions using last accessed information": by what policies allow, whatever denies it.
 */
import { services } from '#model/authorization.ts';
import { tryCompilePolicy } from '#policy/compile.ts';
import { matchesText } from '#policy/glob.ts';
import type { LoweredStatement } from '#policy/lowered.ts';

/** The prefixes of the services of which a policy allows anything; none of a text that is no policy. */
export function grantedServices(document: string): ReadonlySet<string> {
  const compiled = tryCompilePolicy(document);
  if (!('policy' in compiled)) return new Set();
  const allows = compiled.policy.lowered.statements.filter((statement) => statement.effect === 'Allow');
  return new Set([...services()].filter((prefix) => allows.some((statement) => reaches(statement, prefix))));
}

/** Whether a statement speaks of any action of a service. */
function reaches({ actions }: LoweredStatement, prefix: string): boolean {
  const named = actions.patterns.filter(({ everything, service }) => everything || matchesText(service, prefix));
  if (!actions.not) return named.length > 0;
  // What NotAction leaves of a service is something, unless the whole service is named.
  return !named.some(({ everything, name }) => everything || matchesText(name, ''));
}
