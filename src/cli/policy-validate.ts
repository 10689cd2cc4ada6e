import type { PolicyType } from '#policy/decision.ts';
import { validatePolicy } from '#policy/validate/validate.ts';
import { authorizationReference } from '#services/kit/authorization-reference.ts';
import { readText } from './policy-test.ts';

const TYPES: readonly PolicyType[] = ['identity', 'boundary', 'session', 'service-control', 'resource', 'trust'];

/**
 * Prints the findings of policy files, one per line, in the format `file:line:column: message` that editors can parse.
 *
 * Returns the exit status: 1 if any finding is an ERROR or SECURITY_WARNING or a file is unreadable, 2 for invalid arguments, otherwise 0.
 */
export function policyValidate(args: readonly string[], print: (line: string) => void = console.log): number {
  const [first, second, ...rest] = args;
  const type = first === '--type' ? TYPES.find((known) => known === second) : 'identity';
  const files = first === '--type' ? rest : args;
  if (type === undefined || files.length === 0) return 2;
  let failed = false;
  for (const file of files) {
    const text = readText(file);
    if (text === undefined) {
      print(`${file}: cannot be read`);
      failed = true;
      continue;
    }
    for (const { findingType, issueCode, findingDetails, locations } of validatePolicy(text, type, authorizationReference())) {
      const { line, column } = locations[0]?.span.start ?? { line: 1, column: 0 };
      print(`${file}:${line}:${column + 1}: ${findingType} ${issueCode}: ${findingDetails}`);
      failed ||= findingType === 'ERROR' || findingType === 'SECURITY_WARNING';
    }
  }
  return failed ? 1 : 0;
}
