import type { PolicyType } from '#policy/decision.ts';
import { validatePolicy } from '#policy/validate/validate.ts';
import { authorizationReference } from '#services/accessanalyzer/reference.ts';
import { readText } from './policy-test.ts';

const TYPES: readonly PolicyType[] = ['identity', 'boundary', 'session', 'service-control', 'resource', 'trust'];

/** Prints the findings of policies, one a line, as editors read them. The exit status is 1 where any is an ERROR or SECURITY_WARNING. */
export function policyValidate(args: readonly string[], print: (line: string) => void = console.log): number {
  const [first, second, ...rest] = args;
  const type = first === '--type' ? TYPES.find((known) => known === second) : 'identity';
  const files = first === '--type' ? rest : args;
  if (type === undefined || files.length === 0) return 2;
  let grave = false;
  for (const file of files) {
    const text = readText(file);
    if (text === undefined) {
      print(`${file}: cannot be read`);
      grave = true;
      continue;
    }
    for (const { findingType, issueCode, findingDetails, locations } of validatePolicy(text, type, authorizationReference())) {
      const { line, column } = locations[0]?.span.start ?? { line: 1, column: 0 };
      print(`${file}:${line}:${column + 1}: ${findingType} ${issueCode}: ${findingDetails}`);
      grave ||= findingType === 'ERROR' || findingType === 'SECURITY_WARNING';
    }
  }
  return grave ? 1 : 0;
}
