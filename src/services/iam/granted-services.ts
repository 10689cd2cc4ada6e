/**
 * Services that a policy grants access to.
 *
 * Source: IAM User Guide, "Refine permissions using last accessed information": only Allow statements count. Denials are ignored.
 */
import { services } from '#model/authorization.ts';
import { tryCompilePolicy } from '#policy/compile.ts';
import type { LoweredStatement } from '#policy/lowered.ts';
import { codesMatch } from '#policy/pattern.ts';

/** Returns the prefixes of the services of which a policy allows any action. An invalid policy yields an empty set. */
export function grantedServices(document: string): ReadonlySet<string> {
  const compiled = tryCompilePolicy(document);
  if (!('policy' in compiled)) return new Set();
  const allows = compiled.policy.lowered.statements.filter((statement) => statement.effect === 'Allow');
  return new Set([...services()].filter((prefix) => allows.some((statement) => reaches(statement, prefix))));
}

/** Reports whether a statement covers any action of a service. */
function reaches({ actions }: LoweredStatement, prefix: string): boolean {
  const named = actions.patterns.filter(
    ({ everything, service }) => everything || codesMatch(service, 0, service.length, prefix, 0, prefix.length),
  );
  if (!actions.not) return named.length > 0;
  // NotAction covers some action of a service unless it lists the whole service.
  return !named.some(({ everything, name }) => everything || codesMatch(name, 0, name.length, '', 0, 0));
}
