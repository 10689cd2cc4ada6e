import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  AccessAnalyzerClient,
  CheckAccessNotGrantedCommand,
  CheckNoNewAccessCommand,
  ListAnalyzersCommand,
  paginateValidatePolicy,
  ValidatePolicyCommand,
} from '@aws-sdk/client-accessanalyzer';
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { startTestServer } from '../server.ts';
import { policy, refusalOf } from './policy.ts';

/** IAM Access Analyzer with the AWS SDK client. */
const server = await startTestServer();
let analyzer: AccessAnalyzerClient;

before(() => {
  analyzer = new AccessAnalyzerClient(server.client());
});

const typo = policy(
  { Effect: 'Allow', Action: 'chime:CreateMeting', Resource: '*' },
  { Sid: '', Effect: 'Allow', Action: 'iam:*', Resource: '*' },
);

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
      existingPolicyDocument: policy({ Effect: 'Allow', Action: 'chime:GetMeeting', Resource: '*' }),
      newPolicyDocument: policy({ Effect: 'Allow', Action: 'chime:*', Resource: '*' }),
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

test('ValidatePolicy: without permission it is AccessDeniedException', async () => {
  const iam = new IAMClient(server.client());
  await iam.send(new CreateUserCommand({ UserName: 'reader' }));
  await iam.send(
    new PutUserPolicyCommand({
      UserName: 'reader',
      PolicyName: 'p',
      PolicyDocument: policy({ Effect: 'Allow', Action: 'access-analyzer:Check*', Resource: '*' }),
    }),
  );
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'reader' }));
  const reader = new AccessAnalyzerClient(
    server.client({ accessKeyId: AccessKey?.AccessKeyId as string, secretAccessKey: AccessKey?.SecretAccessKey as string }),
  );
  const { name, status } = await refusalOf(reader.send(new ValidatePolicyCommand({ policyDocument: typo, policyType: 'IDENTITY_POLICY' })));
  assert.deepEqual([name, status], ['AccessDeniedException', 403]);
});

test('An operation that is not implemented is NotYetImplementedException and not retried', async () => {
  const { status, name } = await refusalOf(analyzer.send(new ListAnalyzersCommand({})));
  assert.equal(name, 'NotYetImplementedException');
  assert.ok(status !== undefined && status >= 400 && status < 500);
});
