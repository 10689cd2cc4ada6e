import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { managedPolicies } from '#model/managed-policies.ts';
import { type PolicySources, runPolicyTest } from '#policy/policy-test/run.ts';
import { tapLines, tapPoints } from '#policy/policy-test/tap.ts';

/** Largest file that is read, in bytes. */
const FILE_MAX = 4 * 1024 * 1024;

/**
 * Runs policy test files and prints their test points in the Test Anything Protocol.
 *
 * Returns the exit status: 0 if all tests passed, 1 if any failed.
 */
export function policyTest(files: readonly string[], print: (line: string) => void = console.log): number {
  print('TAP version 14');
  let first = 1;
  let passed = true;
  for (const file of files) {
    const text = readText(file);
    const report = text === undefined ? UNREADABLE_REPORT : runPolicyTest(text, sourcesFor(file));
    for (const line of tapLines(file, report, first)) print(line);
    first += tapPoints(report);
    passed &&= report.passed;
  }
  print(`1..${first - 1}`);
  return passed ? 0 : 1;
}

/** Message about a file that `readText` cannot read. */
export const UNREADABLE = 'cannot read the file (it must exist and have at most 4 MiB)';

const UNREADABLE_REPORT = {
  title: 'unreadable file',
  passed: false,
  problems: [UNREADABLE],
  requests: [],
  coverage: [],
};

/** Returns the functions that read the policies that a test file names. Paths are relative to the test file. */
function sourcesFor(testFile: string): PolicySources {
  return {
    managed: (arn) => managedPolicies().find((policy) => policy.arn === arn)?.document,
    file: (path) => readText(resolve(dirname(testFile), path)),
  };
}

/** Reads a UTF-8 file. Returns `undefined` if it cannot be read or has more than 4 MiB. */
export function readText(file: string): string | undefined {
  try {
    const bytes = readFileSync(file);
    return bytes.length > FILE_MAX ? undefined : bytes.toString('utf8');
  } catch {
    return undefined;
  }
}
