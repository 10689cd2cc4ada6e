import { comparePolicies } from '#policy/analyse/compare.ts';
import { type CompiledPolicy, tryCompilePolicy } from '#policy/engine.ts';
import { authorizationReference } from '#services/accessanalyzer/reference.ts';
import { readText } from './policy-test.ts';

/**
 * Prints what two versions of a policy decide differently, each difference with a request that shows it.
 * The exit status is 1 where the new version grants something, or where that can be neither shown nor excluded.
 */
export function policyDiff(args: readonly string[], print: (line: string) => void = console.log): number {
  const asTrust = args[0] === '--trust';
  const [oldFile, newFile, ...others] = asTrust ? args.slice(1) : args;
  if (oldFile === undefined || newFile === undefined || others.length > 0) return 2;
  const [existing, updated] = [policyOf(oldFile, print), policyOf(newFile, print)];
  if (existing === undefined || updated === undefined) return 1;
  const { differences, complete } = comparePolicies(existing, updated, asTrust ? 'resource' : 'identity', authorizationReference());
  for (const { change, statement, sid, witness } of differences) {
    const context = JSON.stringify(Object.fromEntries(witness.context));
    const who = witness.caller === undefined ? '' : ` for ${JSON.stringify(witness.caller)}`;
    const file = change === 'granted' ? newFile : oldFile;
    print(
      `${change}: ${witness.action} on ${witness.resources.join(', ')}${who} with ${context}, by statement ${sid ?? statement} of ${file}`,
    );
  }
  if (!complete) print('There may be further differences: not all could be shown or excluded.');
  if (complete && differences.length === 0) print('Both versions decide every request alike.');
  return complete && differences.every(({ change }) => change === 'withdrawn') ? 0 : 1;
}

function policyOf(file: string, print: (line: string) => void): CompiledPolicy | undefined {
  const text = readText(file);
  const compiled = text === undefined ? undefined : tryCompilePolicy(text);
  if (compiled !== undefined && 'policy' in compiled) return compiled.policy;
  print(`${file}: ${compiled?.problems[0]?.message ?? 'cannot be read'}`);
  return undefined;
}
