import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AccessAnalyzerClient,
  CheckAccessNotGrantedCommand,
  CheckNoNewAccessCommand,
  paginateValidatePolicy,
  ValidatePolicyCommand,
} from '@aws-sdk/client-accessanalyzer';
import { startAccount } from '../kit/account.ts';
import { refusalOf } from '../kit/outcome.ts';
import { allow, policy } from '../kit/policy.ts';

/** Server and user of the tests that call IAM Access Analyzer with the AWS SDK client. */
const { server, user } = await startAccount();
const analyzer = new AccessAnalyzerClient(server.client());
const typo = policy(allow('chime:CreateMeting'), { Sid: '', ...allow('iam:*') });

test('ValidatePolicy: the SDK parses a finding with its location', async () => {
  const { findings = [] } = await analyzer.send(new ValidatePolicyCommand({ policyDocument: typo, policyType: 'IDENTITY_POLICY' }));
  const [finding] = findings.filter(({ issueCode }) => issueCode === 'INVALID_ACTION');
  assert.equal(finding?.findingType, 'ERROR');
  assert.equal(finding?.findingDetails, 'The action chime:CreateMeting does not exist. Did you mean chime:CreateMeeting?');
  assert.deepEqual(finding?.locations?.[0]?.path, [{ value: 'Statement' }, { index: 0 }, { value: 'Action' }]);
  assert.equal(finding?.locations?.[0]?.span?.start?.line, 1);
});

test('ValidatePolicy: the SDK paginates through all pages', async () => {
  const codes: (string | undefined)[] = [];
  for await (const page of paginateValidatePolicy(
    { client: analyzer, pageSize: 1 },
    { policyDocument: typo, policyType: 'IDENTITY_POLICY' },
  )) {
    codes.push(...(page.findings ?? []).map(({ issueCode }) => issueCode));
  }
  assert.deepEqual(codes.toSorted(), [
    'CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE',
    'EMPTY_SID_VALUE',
    'INVALID_ACTION',
    'PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE',
  ]);
});

test('CheckNoNewAccess: the SDK parses the reason', async () => {
  const answer = await analyzer.send(
    new CheckNoNewAccessCommand({
      existingPolicyDocument: policy(allow('chime:GetMeeting')),
      newPolicyDocument: policy(allow('chime:*')),
      policyType: 'IDENTITY_POLICY',
    }),
  );
  assert.equal(answer.result, 'FAIL');
  assert.deepEqual(answer.reasons, [{ description: 'New access in the statement with index: 0.', statementIndex: 0 }]);
});

test('CheckAccessNotGranted: an invalid document is InvalidParameterException', async () => {
  const sent = analyzer.send(
    new CheckAccessNotGrantedCommand({ policyDocument: '{', access: [{ actions: ['iam:PassRole'] }], policyType: 'IDENTITY_POLICY' }),
  );
  const { name, status } = await refusalOf(sent);
  assert.deepEqual([name, status], ['InvalidParameterException', 400]);
});

test('ValidatePolicy: a call without permission is AccessDeniedException', async () => {
  const reader = new AccessAnalyzerClient(server.client(await user('reader', allow('access-analyzer:Check*'))));
  const { name, status } = await refusalOf(reader.send(new ValidatePolicyCommand({ policyDocument: typo, policyType: 'IDENTITY_POLICY' })));
  assert.deepEqual([name, status], ['AccessDeniedException', 403]);
});
