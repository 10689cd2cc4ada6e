import { comparePolicies } from '#policy/analyse/compare.ts';
import { type CompiledPolicy, tryCompilePolicy } from '#policy/engine.ts';
import { authorizationReference } from '#services/kit/authorization-reference.ts';
import { readText, UNREADABLE } from './policy-test.ts';

/**
 * Prints the differences between the decisions of two versions of a policy, each with an example request.
 *
 * Returns the exit status: 0 if the new version grants nothing more, 1 if it may grant more or a file is invalid.
 */
export function policyDiff(
  oldFile: string,
  newFile: string,
  type: 'identity' | 'trust',
  print: (line: string) => void = console.log,
): number {
  const [existing, updated] = [policyOf(oldFile, print), policyOf(newFile, print)];
  if (existing === undefined || updated === undefined) return 1;
  const { differences, complete } = comparePolicies(
    existing,
    updated,
    type === 'trust' ? 'resource' : 'identity',
    authorizationReference(),
  );
  for (const { change, statement, sid, witness } of differences) {
    const context = JSON.stringify(Object.fromEntries(witness.context));
    const caller = witness.caller === undefined ? '' : ` for ${JSON.stringify(witness.caller)}`;
    const file = change === 'granted' ? newFile : oldFile;
    print(
      `${change}: ${witness.action} on ${witness.resources.join(', ')}${caller} with ${context}, by statement ${sid ?? statement} of ${file}`,
    );
  }
  if (!complete) print('belfry policy diff: the comparison is incomplete: there may be more differences');
  if (complete && differences.length === 0) print('belfry policy diff: both versions make the same decision for every request');
  return complete && differences.every(({ change }) => change === 'withdrawn') ? 0 : 1;
}

function policyOf(file: string, print: (line: string) => void): CompiledPolicy | undefined {
  const text = readText(file);
  const compiled = text === undefined ? undefined : tryCompilePolicy(text);
  if (compiled !== undefined && 'policy' in compiled) return compiled.policy;
  print(`${file}: ${compiled?.problems[0]?.message ?? UNREADABLE}`);
  return undefined;
}
