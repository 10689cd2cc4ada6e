import type { PolicyType } from '#policy/decision.ts';
import { validatePolicy } from '#policy/validate/validate.ts';
import { authorizationReference } from '#services/kit/authorization-reference.ts';
import { readText, UNREADABLE } from './policy-test.ts';

/**
 * Prints the findings of policy files, one per line, in the format `file:line:column: message` that editors can parse.
 *
 * Returns the exit status: 1 if any finding is an ERROR or SECURITY_WARNING or a file is unreadable, otherwise 0.
 */
export function policyValidate(files: readonly string[], type: PolicyType, print: (line: string) => void = console.log): number {
  let failed = false;
  for (const file of files) {
    const text = readText(file);
    if (text === undefined) {
      print(`${file}: ${UNREADABLE}`);
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
