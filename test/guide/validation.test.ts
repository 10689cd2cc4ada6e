/** ValidatePolicy for common mistakes in Chime policies: tag conditions on the classic service, and resource policies for Chime. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AccessAnalyzerClient,
  type PolicyType,
  ValidatePolicyCommand,
  type ValidatePolicyResourceType,
} from '@aws-sdk/client-accessanalyzer';
import { startAccount } from '../kit/account.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow, deny, policy, type Statement } from '../kit/policy.ts';

const account = await startAccount();
const analyzer = new AccessAnalyzerClient(account.server.client());

async function findings(policyDocument: string, policyType: PolicyType = 'IDENTITY_POLICY', validatePolicyResourceType?: string) {
  const { findings: found = [] } = await analyzer.send(
    new ValidatePolicyCommand({
      policyDocument,
      policyType,
      validatePolicyResourceType: validatePolicyResourceType as ValidatePolicyResourceType,
    }),
  );
  return found.map(({ findingType, issueCode }) => `${findingType} ${issueCode}`);
}

const byTag = { Condition: { StringEquals: { 'aws:ResourceTag/team': 'blue' } } };

// biome-ignore format: a table
const ROWS: readonly [title: string, statement: Statement, finding: string][] = [
  ['a Deny by a tag',                       deny('chime:ListUsers', '*', byTag),                                              'SECURITY_WARNING DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE'],
  ['a Deny with NotAction by a tag',        { Effect: 'Deny', NotAction: 'iam:*', Resource: '*', ...byTag },                  'SECURITY_WARNING DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE'],
  ['an Allow by a tag',                     allow('chime:ListUsers', '*', byTag),                                             'SUGGESTION ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE'],
  ['an Allow with NotAction by a tag',      { Effect: 'Allow', NotAction: 'iam:*', Resource: '*', ...byTag },                 'SUGGESTION ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE'],
];

for (const [title, statement, finding] of ROWS) {
  test(`TAG-3: ${title} has the finding ${finding}`, async () => {
    const found = await findings(policy(statement));
    assert.ok(found.includes(finding), found.join(', '));
  });
}

test('RBP-6: ValidatePolicy rejects resource types of Chime, because they have no resource policies', async () => {
  const document = policy({ ...allow('chime:GetMeeting', '*'), Principal: { AWS: '111122223333' } });
  for (const type of ['AWS::Chime::Meeting', 'AWS::Chime::AppInstance', 'AWS::Chime::VoiceConnector']) {
    const { name, status, message } = await refusalOf(findings(document, 'RESOURCE_POLICY', type));
    assert.deepEqual([name, status], ['ValidationException', 400]);
    assert.match(message, new RegExp(`Value '${type}' at 'validatePolicyResourceType' failed to satisfy constraint`));
  }
});
