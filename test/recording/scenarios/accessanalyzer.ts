import type { Recorder } from '../recorder.ts';

/**
 * Records calls of IAM Access Analyzer: an analyzer with its tags and rules, then errors. The analyzer finds nothing, and no call returns the resource that
 * was analyzed last, because scans run at any time.
 */
export async function accessAnalyzer(recorder: Recorder): Promise<undefined> {
  const { ok, call } = recorder.of('accessanalyzer');
  const analyzerName = 'idle';
  const rule = { analyzerName, ruleName: 'legacy' };
  const filter = { resource: { contains: ['legacy'] }, findingType: { eq: ['UnusedIAMRole'] } };
  const { arn: analyzerArn } = await ok('CreateAnalyzer', {
    ...{ analyzerName, type: 'ACCOUNT_UNUSED_ACCESS', tags: { team: 'blue' } },
    configuration: { unusedAccess: { unusedAccessAge: 365 } },
    archiveRules: [{ ruleName: 'first', filter }],
  });
  await ok('UpdateAnalyzer', { analyzerName, configuration: { unusedAccess: { unusedAccessAge: 180 } } });
  await ok('TagResource', { resourceArn: analyzerArn, tags: { cost: '1' } });
  await ok('UntagResource', { resourceArn: analyzerArn, tagKeys: ['team'] });
  await ok('ListTagsForResource', { resourceArn: analyzerArn });
  await ok('CreateArchiveRule', { ...rule, filter });
  await ok('UpdateArchiveRule', { ...rule, filter: { resourceType: { neq: ['AWS::IAM::User'] } } });
  await ok('GetArchiveRule', rule);
  await ok('ListArchiveRules', { analyzerName, maxResults: 1 });
  await ok('ApplyArchiveRule', { analyzerArn, ruleName: 'legacy' });
  await ok('ListFindingsV2', { analyzerArn, filter: { status: { eq: ['ACTIVE'] } }, sort: { attributeName: 'createdAt', orderBy: 'ASC' } });
  await ok('GetFindingsStatistics', { analyzerArn });

  await call('CreateAnalyzer', { analyzerName, type: 'ACCOUNT_UNUSED_ACCESS' });
  await call('CreateAnalyzer', { analyzerName: 'second', type: 'ACCOUNT_UNUSED_ACCESS' });
  await call('CreateAnalyzer', { analyzerName: 'internal', type: 'ACCOUNT_INTERNAL_ACCESS' });
  await call('CreateAnalyzer', { analyzerName: 'all', type: 'ORGANIZATION_UNUSED_ACCESS' });
  await call('CreateArchiveRule', { ...rule, filter });
  await call('CreateArchiveRule', { ...rule, ruleName: 'new', filter: { status: { eq: ['ACTIVE'] } } });
  await call('ListFindings', { analyzerArn });
  await call('ListFindingsV2', { analyzerArn, sort: { attributeName: 'color' } });
  await call('GetFindingV2', { analyzerArn, id: 'none' });
  await call('UpdateFindings', { analyzerArn, status: 'ARCHIVED' });
  await call('GetAnalyzedResource', { analyzerArn, resourceArn: 'arn:aws:s3:::none' });
  await call('StartResourceScan', { analyzerArn, resourceArn: 'arn:aws:s3:::none' });
  await call('DeleteServiceLinkedAnalyzer', { analyzerName });
  await call('GenerateFindingRecommendation', { analyzerArn, id: 'none' });
  await call('GetFindingRecommendation', { analyzerArn, id: 'none' });
  await ok('DeleteArchiveRule', rule);
  await ok('DeleteAnalyzer', { analyzerName });
  await call('GetAnalyzer', { analyzerName });
  await externalAccess(recorder);
  await generatedPolicies(recorder);
  return undefined;
}

const trusting = (AWS: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' }] });

/** Records findings of external access. The trust policy changes while the analyzer exists, so its finding is current after the call. */
async function externalAccess(recorder: Recorder): Promise<void> {
  const { ok, call } = recorder.of('accessanalyzer');
  const iam = recorder.of('iam');
  const analyzerName = 'outside';
  const RoleName = 'shared';
  const { arn: analyzerArn } = await ok('CreateAnalyzer', { analyzerName, type: 'ACCOUNT' });
  const { Role } = await iam.ok('CreateRole', { RoleName, AssumeRolePolicyDocument: trusting('999999999999') });
  const resourceArn = Role.Arn;
  const { findings } = await ok('ListFindings', { analyzerArn, filter: { resource: { eq: [resourceArn] } } });
  const id = findings[0]?.id ?? '';
  await ok('GetFinding', { analyzerArn, id });
  await ok('GetFindingV2', { analyzerArn, id });
  await ok('UpdateFindings', { analyzerArn, status: 'ARCHIVED', ids: [id] });
  await ok('StartResourceScan', { analyzerArn, resourceArn });
  await ok('GetAnalyzedResource', { analyzerArn, resourceArn });
  const configurations = { [resourceArn]: { iamRole: { trustPolicy: trusting('888888888888') } } };
  const { id: accessPreviewId } = await ok('CreateAccessPreview', { analyzerArn, configurations });
  await ok('GetAccessPreview', { analyzerArn, accessPreviewId });
  await ok('ListAccessPreviews', { analyzerArn });
  await ok('ListAccessPreviewFindings', { analyzerArn, accessPreviewId });
  await ok('CheckNoPublicAccess', { policyDocument: trusting('*'), resourceType: 'AWS::IAM::AssumeRolePolicyDocument' });

  await call('GetFinding', { analyzerArn, id: 'none' });
  await call('GetAccessPreview', { analyzerArn, accessPreviewId: '00000000-0000-0000-0000-000000000000' });
  await iam.ok('DeleteRole', { RoleName });
  await ok('DeleteAnalyzer', { analyzerName });
}

/** Records a job that generates a policy, which is canceled before it ends. */
async function generatedPolicies(recorder: Recorder): Promise<void> {
  const { ok } = recorder.of('accessanalyzer');
  const iam = recorder.of('iam');
  const { User } = await iam.ok('CreateUser', { UserName: 'generated' });
  const { jobId } = await ok('StartPolicyGeneration', { policyGenerationDetails: { principalArn: User.Arn } });
  await ok('CancelPolicyGeneration', { jobId });
  await ok('GetGeneratedPolicy', { jobId });
  await ok('ListPolicyGenerations', { principalArn: User.Arn });
  await iam.ok('DeleteUser', { UserName: 'generated' });
}
