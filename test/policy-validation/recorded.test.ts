import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { PathElement } from '#policy/validate/finding.ts';
import { validatePolicy } from '#policy/validate/validate.ts';
import { REFERENCE } from './reference.ts';

interface RecordedPolicy {
  readonly policyName: string;
  readonly document: unknown;
  readonly findings: readonly { readonly findingType: string; readonly issueCode: string; readonly paths: readonly Path[] }[];
}
type Path = readonly (string | number)[];

/** Findings of AWS that Belfry does not report, each with the reason. */
const EXPLAINED: Readonly<Record<string, { readonly missing: string; readonly why: string }>> = {
  AWSCodeStarFullAccess: {
    missing: 'ERROR INVALID_ACTION [["Statement",0,"Action",5]]',
    why: 'cloud9:ValidateEnvironmentName is unknown to AWS. Belfry knows the actions of the services that it includes, and only the prefixes of others',
  },
};

const RECORDED = JSON.parse(
  readFileSync(new URL('../cases/recorded/access-analyzer.json', import.meta.url), 'utf8'),
) as readonly RecordedPolicy[];

function plainPath(path: readonly PathElement[]): Path {
  return path.map((element) => {
    if ('value' in element) return element.value;
    if ('key' in element) return element.key;
    if ('index' in element) return element.index;
    throw new Error('the recording has no path to a part of a string');
  });
}

/** Returns what Belfry finds, in the form of the recording. */
function found(document: unknown): readonly string[] {
  return validatePolicy(JSON.stringify(document), 'identity', REFERENCE).map(
    ({ findingType, issueCode, locations }) =>
      `${findingType} ${issueCode} ${JSON.stringify(locations.map(({ path }) => plainPath(path)))}`,
  );
}

for (const { policyName, document, findings } of RECORDED) {
  test(`ValidatePolicy: ${policyName} has the findings that AWS reported`, () => {
    const recorded = findings.map(({ findingType, issueCode, paths }) => `${findingType} ${issueCode} ${JSON.stringify(paths)}`);
    const explained = EXPLAINED[policyName]?.missing;
    assert.deepEqual([...found(document)].sort(), recorded.filter((finding) => finding !== explained).sort());
  });
}

test('ValidatePolicy: at most 3 recorded policies have a finding that Belfry does not report', () => {
  const missing = Object.values(EXPLAINED).map((explained) => explained.missing);
  const all = RECORDED.flatMap(({ findings }) =>
    findings.map((finding) => `${finding.findingType} ${finding.issueCode} ${JSON.stringify(finding.paths)}`),
  );
  assert.ok(missing.length <= 3);
  assert.deepEqual(
    missing.filter((finding) => !all.includes(finding)),
    [],
  );
});
