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
  await ok('DeleteArchiveRule', rule);
  await ok('DeleteAnalyzer', { analyzerName });
  await call('GetAnalyzer', { analyzerName });
  return undefined;
}
