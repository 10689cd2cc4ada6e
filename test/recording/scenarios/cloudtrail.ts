import type { Recorder } from '../recorder.ts';

/**
 * Bucket that is bound to a folder, so that trails exist on both engines. With PostgreSQL, the recorded server has no place for the
 * contents of objects, and so no buckets of its own.
 */
export const BOUND_BUCKET = 'bound-logs';

/** Records calls on trails: first without a trail, and then with one. */
export async function cloudtrail(recorder: Recorder): Promise<undefined> {
  const { ok, call } = recorder.of('cloudtrail');
  const trail = { Name: 'audit', S3BucketName: 'logs' };
  const arn = `arn:aws:cloudtrail:us-east-1:${recorder.accountId}:trail/audit`;
  for (const change of [
    {},
    { Name: 'a' },
    { Name: 'a b' },
    { S3BucketName: 'A' },
    { IsMultiRegionTrail: true, IncludeGlobalServiceEvents: false },
    { S3KeyPrefix: 'p'.repeat(201) },
    { IsOrganizationTrail: true },
    { TagsList: [{ Key: 'team', Value: 'blue' }, { Key: 'Team' }] },
  ]) {
    await call('CreateTrail', { ...trail, ...change });
  }
  for (const Name of ['audit', arn, 'arn:aws:cloudtrail:us-east-1::trail/audit']) {
    for (const operation of ['UpdateTrail', 'GetTrail', 'GetTrailStatus', 'StartLogging', 'StopLogging', 'DeleteTrail'])
      await call(operation, { Name });
  }
  for (const operation of ['GetEventSelectors', 'GetInsightSelectors', 'GetEventConfiguration']) await call(operation, { TrailName: arn });
  await call('PutEventSelectors', { TrailName: arn, EventSelectors: [{}] });
  await call('AddTags', { ResourceId: arn, TagsList: [{ Key: 'team', Value: 'blue' }] });
  await call('ListTags', { ResourceIdList: [arn] });
  await ok('DescribeTrails');
  await ok('ListTrails');
  await ok('ListPublicKeys');
  await call('RegisterOrganizationDelegatedAdmin', { MemberAccountId: recorder.accountId });
  await ok('CreateTrail', { Name: 'audit', S3BucketName: BOUND_BUCKET, EnableLogFileValidation: true });
  await call('CreateTrail', { Name: 'audit', S3BucketName: BOUND_BUCKET });
  await ok('StartLogging', { Name: arn });
  await ok('PutEventSelectors', { TrailName: arn, EventSelectors: [{ ReadWriteType: 'WriteOnly', IncludeManagementEvents: true }] });
  for (const operation of ['GetEventSelectors', 'GetEventConfiguration']) await ok(operation, { TrailName: arn });
  await ok('PutInsightSelectors', { TrailName: arn, InsightSelectors: [{ InsightType: 'ApiCallRateInsight' }] });
  await ok('GetInsightSelectors', { TrailName: arn });
  await ok('PutEventConfiguration', { TrailName: arn });
  await ok('AddTags', { ResourceId: arn, TagsList: [{ Key: 'team', Value: 'blue' }] });
  await ok('ListTags', { ResourceIdList: [arn] });
  await ok('RemoveTags', { ResourceId: arn, TagsList: [{ Key: 'team' }] });
  await ok('UpdateTrail', { Name: arn, S3KeyPrefix: 'p' });
  for (const operation of ['GetTrail', 'GetTrailStatus', 'StopLogging', 'DeleteTrail']) await ok(operation, { Name: arn });
  return undefined;
}
