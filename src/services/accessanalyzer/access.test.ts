import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { ACCOUNT, accessOf, OTHER_ACCOUNT, openOperations } from '../kit/fixture.ts';
import { isNotYet, isRefused } from '../kit/not-yet.ts';
import { accessanalyzerOperations } from './operations.ts';

const serverFacts = { tlsFloor: 'TLSv1.2', eventHistoryDays: 90, readsWithoutTrail: false, internalHosts: 0 };
const operations = accessanalyzerOperations({ kinds: [], loadRules: async () => [], serverFacts });
const ANALYZER = `arn:aws:access-analyzer:us-east-1:${ACCOUNT}:analyzer/own`;
const OTHERS = `arn:aws:access-analyzer:us-east-1:${OTHER_ACCOUNT}:analyzer/own`;
const RULE = `${ANALYZER}/archive-rule/r`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/aws-service-role/access-analyzer.amazonaws.com/AWSServiceRoleForAccessAnalyzer`;
const NAMED = { analyzerName: 'own', ruleName: 'r' };
const OF_ARN = { analyzerArn: ANALYZER, resourceArn: ANALYZER, id: 'f' };

/** Permissions of each operation. Source: Service Authorization Reference, "AWS IAM Access Analyzer". */
// biome-ignore format: a table
const PERMISSIONS: Readonly<Record<string, readonly [input: object, ...required: readonly (readonly [action: string, resource: string])[]]>> = {
  CreateAnalyzer:              [{ analyzerName: 'own' },              ['CreateAnalyzer', ANALYZER], ['iam:CreateServiceLinkedRole', ROLE]],
  GetAnalyzer:                 [NAMED,                                ['GetAnalyzer', ANALYZER]],
  ListAnalyzers:               [{},                                   ['ListAnalyzers', '*']],
  UpdateAnalyzer:              [NAMED,                                ['UpdateAnalyzer', ANALYZER]],
  DeleteAnalyzer:              [NAMED,                                ['DeleteAnalyzer', ANALYZER]],
  CreateArchiveRule:           [NAMED,                                ['CreateArchiveRule', RULE]],
  GetArchiveRule:              [NAMED,                                ['GetArchiveRule', RULE]],
  ListArchiveRules:            [NAMED,                                ['ListArchiveRules', ANALYZER]],
  UpdateArchiveRule:           [NAMED,                                ['UpdateArchiveRule', RULE]],
  DeleteArchiveRule:           [NAMED,                                ['DeleteArchiveRule', RULE]],
  ApplyArchiveRule:            [{ ...OF_ARN, ruleName: 'r' },         ['ApplyArchiveRule', ANALYZER]],
  ListFindings:                [OF_ARN,                               ['ListFindings', ANALYZER]],
  ListFindingsV2:              [OF_ARN,                               ['ListFindings', ANALYZER]],
  GetFinding:                  [OF_ARN,                               ['GetFinding', ANALYZER]],
  GetFindingV2:                [{ analyzerArn: OTHERS },              ['GetFinding', OTHERS]],
  GetFindingsStatistics:       [OF_ARN,                               ['GetFindingsStatistics', ANALYZER]],
  UpdateFindings:              [OF_ARN,                               ['UpdateFindings', ANALYZER]],
  StartResourceScan:           [OF_ARN,                               ['StartResourceScan', ANALYZER]],
  GetAnalyzedResource:         [OF_ARN,                               ['GetAnalyzedResource', ANALYZER]],
  ListAnalyzedResources:       [OF_ARN,                               ['ListAnalyzedResources', ANALYZER]],
  CreateAccessPreview:         [OF_ARN,                               ['CreateAccessPreview', ANALYZER]],
  GetAccessPreview:            [OF_ARN,                               ['GetAccessPreview', ANALYZER]],
  ListAccessPreviews:          [OF_ARN,                               ['ListAccessPreviews', ANALYZER]],
  ListAccessPreviewFindings:   [OF_ARN,                               ['ListAccessPreviewFindings', ANALYZER]],
  TagResource:                 [{ ...OF_ARN, tags: { a: 'b' } },      ['TagResource', ANALYZER]],
  UntagResource:               [{ ...OF_ARN, tagKeys: ['a'] },        ['UntagResource', ANALYZER]],
  ListTagsForResource:         [OF_ARN,                               ['ListTagsForResource', ANALYZER]],
  CreateServiceLinkedAnalyzer: [{ type: 'ACCOUNT' },                  ['CreateServiceLinkedAnalyzer', `arn:aws:access-analyzer:us-east-1:${ACCOUNT}:analyzer/*`]],
  DeleteServiceLinkedAnalyzer: [NAMED,                                ['DeleteServiceLinkedAnalyzer', ANALYZER]],
};

for (const [name, [input, ...required]] of Object.entries(PERMISSIONS)) {
  test(`${name}: requires the permissions of the authorization reference`, () => {
    const access = accessOf(operations, name, input);
    assert.deepEqual(
      access.map(({ action, resources }) => [action, ...resources]),
      required.map(([action, resource]) => [action.includes(':') ? action : `access-analyzer:${action}`, resource]),
    );
  });
}

test('Permissions: every operation that checks stored analyzers has a row', () => {
  const WITHOUT_ANALYZER =
    /^(ValidatePolicy|Check|ExplainDecision|ListConfigurationRule|.*(GeneratedPolicy|PolicyGeneration|Recommendation))/;
  const checked = Object.entries(operations).filter(([name, each]) => (!isNotYet(each) || isRefused(each)) && !WITHOUT_ANALYZER.test(name));
  assert.deepEqual(checked.map(([name]) => name).sort(), Object.keys(PERMISSIONS).sort());
});

test('CreateAnalyzer: tags also require access-analyzer:TagResource, with the tags as condition keys', async () => {
  const { requiredAccess } = await openOperations<AccessanalyzerApi>(operations);
  const [create, tag, role] = await requiredAccess('CreateAnalyzer', { analyzerName: 'own', type: 'ACCOUNT', tags: { team: 'a' } });
  const context = { 'aws:requesttag/team': 'a', 'aws:tagkeys': ['team'] };
  assert.deepEqual([create?.context, tag?.action, tag?.context], [context, 'access-analyzer:TagResource', context]);
  assert.deepEqual(role?.resources, [ROLE]);
});
