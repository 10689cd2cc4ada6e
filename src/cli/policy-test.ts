import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { managedPolicies } from '#model/managed-policies.ts';
import { type PolicySources, runPolicyTest } from '#policy/policy-test/run.ts';
import { tapLines, tapPoints } from '#policy/policy-test/tap.ts';

/** The most bytes of a file that are read. */
const FILE_MAX = 4 * 1024 * 1024;

/**
 * Runs policy tests and prints their points in the Test Anything Protocol. Resolves to the exit status: 0 where all passed,
 * 1 where any did not, 2 where there is no file.
 */
export function policyTest(files: readonly string[], print: (line: string) => void = console.log): number {
  if (files.length === 0) return 2;
  print('TAP version 14');
  let first = 1;
  let passed = true;
  for (const file of files) {
    const text = readText(file);
    const report = text === undefined ? UNREADABLE : runPolicyTest(text, sourcesBeside(file));
    for (const line of tapLines(file, report, first)) print(line);
    first += tapPoints(report);
    passed &&= report.passed;
  }
  print(`1..${first - 1}`);
  return passed ? 0 : 1;
}

const UNREADABLE = { title: 'not read', passed: false, problems: ['The file cannot be read.'], requests: [], coverage: [] };

/** Paths are relative to the test file. */
function sourcesBeside(testFile: string): PolicySources {
  return {
    managed: (arn) => managedPolicies().find((policy) => policy.arn === arn)?.document,
    file: (path) => readText(resolve(dirname(testFile), path)),
  };
}

export function readText(file: string): string | undefined {
  try {
    const bytes = readFileSync(file);
    return bytes.length > FILE_MAX ? undefined : bytes.toString('utf8');
  } catch {
    return undefined;
  }
}
