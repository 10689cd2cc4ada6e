import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as aa from '@aws-sdk/client-accessanalyzer';
import * as eb from '@aws-sdk/client-eventbridge';
import * as iam from '@aws-sdk/client-iam';
import { otherAccount, startAccount } from '../kit/account.ts';
import { outcomeOf } from '../kit/outcome.ts';
import { allow, deny, policy, trust, trustService } from '../kit/policy.ts';
import { until } from '../kit/until.ts';

/** The operations of IAM Access Analyzer on analyzers with unmodified clients: AWS's SDK, and Debian's AWS CLI. */

const account = await startAccount();
const { accountId, admin, keys, server } = account;
const client = new aa.AccessAnalyzerClient(account.client());
const other = await otherAccount(server, 'other');
const stranger = new aa.AccessAnalyzerClient(other.client());
const STRANGER = '999988887777';
const arnOf = (name: string) => `arn:aws:access-analyzer:us-east-1:${accountId}:analyzer/${name}`;
const analyzerArn = arnOf('own');
const BY_AGE = { sort: { attributeName: 'createdAt' } };

async function statuses(filter: aa.ListFindingsRequest['filter'] = {}) {
  const { findings = [] } = await client.send(new aa.ListFindingsCommand({ analyzerArn, filter, ...BY_AGE }));
  return findings.map(({ resource, status }) => [resource?.split('/')[1], status]);
}

test('SDK: an analyzer is created, read, listed, tagged and deleted', async () => {
  const archiveRules = [{ ruleName: 'known', filter: { 'principal.AWS': { contains: ['111111111111'] } } }];
  const create = { analyzerName: 'own', type: 'ACCOUNT', archiveRules, tags: { team: 'a' } } as const;
  assert.equal((await client.send(new aa.CreateAnalyzerCommand(create))).arn, analyzerArn);
  const { analyzer } = await client.send(new aa.GetAnalyzerCommand({ analyzerName: 'own' }));
  const { createdAt, lastResourceAnalyzed: _, lastResourceAnalyzedAt: __, ...facts } = analyzer ?? assert.fail();
  assert.ok(createdAt instanceof Date);
  assert.deepEqual(facts, { arn: analyzerArn, name: 'own', type: 'ACCOUNT', status: 'ACTIVE', tags: { team: 'a' } });
  const { archiveRules: rules } = await client.send(new aa.ListArchiveRulesCommand({ analyzerName: 'own' }));
  assert.deepEqual(
    rules?.map(({ ruleName, filter }) => ({ ruleName, filter })),
    archiveRules,
  );
  const role = await admin.send(new iam.GetRoleCommand({ RoleName: 'AWSServiceRoleForAccessAnalyzer' }));
  assert.equal(role.Role?.Path, '/aws-service-role/access-analyzer.amazonaws.com/');
  const { DeletionTaskId } = await admin.send(new iam.DeleteServiceLinkedRoleCommand({ RoleName: 'AWSServiceRoleForAccessAnalyzer' }));
  const deletion = await admin.send(new iam.GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }));
  assert.deepEqual(deletion.Reason?.RoleUsageList, [{ Region: 'us-east-1', Resources: [analyzerArn] }]);

  await client.send(new aa.CreateAnalyzerCommand({ analyzerName: 'idle', type: 'ACCOUNT_UNUSED_ACCESS' }));
  const names = async (type?: aa.Type) =>
    (await client.send(new aa.ListAnalyzersCommand({ type }))).analyzers?.map(({ name, configuration }) => [name, configuration]);
  const configuration = { unusedAccess: { unusedAccessAge: 90 } };
  assert.deepEqual(await names(), [
    ['idle', configuration],
    ['own', undefined],
  ]);
  assert.deepEqual(await names('ACCOUNT'), [['own', undefined]]);
  const changed = { unusedAccess: { unusedAccessAge: 365 } };
  const updated = await client.send(new aa.UpdateAnalyzerCommand({ analyzerName: 'idle', configuration: changed }));
  assert.deepEqual(updated.configuration, changed);
  await client.send(new aa.DeleteAnalyzerCommand({ analyzerName: 'idle' }));
  assert.deepEqual(await names(), [['own', undefined]]);

  await client.send(new aa.TagResourceCommand({ resourceArn: analyzerArn, tags: { b: 'c' } }));
  await client.send(new aa.UntagResourceCommand({ resourceArn: analyzerArn, tagKeys: ['team'] }));
  assert.deepEqual((await client.send(new aa.ListTagsForResourceCommand({ resourceArn: analyzerArn }))).tags, { b: 'c' });
});

test('SDK: archive rules archive new findings, and existing ones with ApplyArchiveRule', async () => {
  await account.role('first', trust(STRANGER));
  assert.deepEqual(await statuses(), [['first', 'ACTIVE']]);
  const rule = { analyzerName: 'own', ruleName: 'partners' };
  await client.send(new aa.CreateArchiveRuleCommand({ ...rule, filter: { 'principal.AWS': { eq: ['555566667777'] } } }));
  await client.send(new aa.UpdateArchiveRuleCommand({ ...rule, filter: { 'principal.AWS': { contains: [STRANGER] } } }));
  const { archiveRule } = await client.send(new aa.GetArchiveRuleCommand(rule));
  assert.deepEqual(archiveRule?.filter, { 'principal.AWS': { contains: [STRANGER] } });
  await account.role('second', trust(STRANGER));
  assert.deepEqual(await statuses(), [
    ['first', 'ACTIVE'],
    ['second', 'ARCHIVED'],
  ]);
  await client.send(new aa.ApplyArchiveRuleCommand({ analyzerArn, ruleName: 'partners' }));
  assert.deepEqual(await statuses({ status: { eq: ['ARCHIVED'] } }), [
    ['first', 'ARCHIVED'],
    ['second', 'ARCHIVED'],
  ]);
  await client.send(new aa.DeleteArchiveRuleCommand(rule));
  assert.equal(await outcomeOf(client.send(new aa.GetArchiveRuleCommand(rule))), 'ResourceNotFound');
  // An archived finding stays archived when its resource is analyzed again.
  await client.send(new aa.StartResourceScanCommand({ analyzerArn, resourceArn: account.roleArn('first') }));
  assert.deepEqual((await statuses())[0], ['first', 'ARCHIVED']);
});

test('SDK: findings are read, changed and counted', async () => {
  const { findings: [first, second] = [] } = await client.send(new aa.ListFindingsV2Command({ analyzerArn, ...BY_AGE }));
  assert.deepEqual([first?.findingType, first?.status], ['ExternalAccess', 'ARCHIVED']);
  const ids = [first?.id ?? '', second?.id ?? ''];
  await client.send(new aa.UpdateFindingsCommand({ analyzerArn, status: 'ACTIVE', ids }));
  await client.send(new aa.UpdateFindingsCommand({ analyzerArn, status: 'ARCHIVED', resourceArn: account.roleArn('second') }));
  const { finding } = await client.send(new aa.GetFindingCommand({ analyzerArn, id: ids[0] }));
  assert.deepEqual([finding?.status, finding?.action, finding?.isPublic, finding?.condition], ['ACTIVE', ['sts:AssumeRole'], false, {}]);
  assert.ok(finding?.updatedAt instanceof Date);
  const detailed = await client.send(new aa.GetFindingV2Command({ analyzerArn, id: ids[1] }));
  assert.deepEqual([detailed.status, detailed.nextToken, detailed.findingDetails?.length], ['ARCHIVED', undefined, 1]);
  assert.deepEqual(detailed.findingDetails?.[0]?.externalAccessDetails?.action, ['sts:AssumeRole']);
  const { findingsStatistics, lastUpdatedAt } = await client.send(new aa.GetFindingsStatisticsCommand({ analyzerArn }));
  assert.deepEqual(findingsStatistics, [
    {
      externalAccessFindingsStatistics: {
        ...{ totalActiveFindings: 1, totalArchivedFindings: 1, totalResolvedFindings: 0 },
        resourceTypeStatistics: { 'AWS::IAM::Role': { totalActivePublic: 0, totalActiveCrossAccount: 1, totalActiveErrors: 0 } },
      },
    },
  ]);
  assert.ok(lastUpdatedAt instanceof Date);
});

test('SDK: lists have pages, and a token is valid only for its list', async () => {
  const page = (more: Partial<aa.ListFindingsRequest>) => client.send(new aa.ListFindingsCommand({ analyzerArn, maxResults: 1, ...more }));
  const first = await page({});
  assert.equal(first.findings?.length, 1);
  const { nextToken } = first;
  assert.ok(nextToken);
  const second = await page({ nextToken });
  assert.notEqual(second.findings?.[0]?.id, first.findings?.[0]?.id);
  assert.equal(second.nextToken, undefined);
  assert.equal(await outcomeOf(page({ nextToken, sort: { attributeName: 'id' } })), 'Validation');
  const listed: (string | undefined)[] = [];
  for await (const { analyzedResources = [] } of aa.paginateListAnalyzedResources(
    { client, pageSize: 2 },
    { analyzerArn, resourceType: 'AWS::IAM::Role' },
  )) {
    listed.push(...analyzedResources.map(({ resourceArn }) => resourceArn));
  }
  assert.deepEqual(
    listed.filter((each) => /first|second/.test(each ?? '')),
    [account.roleArn('first'), account.roleArn('second')],
  );
});

test('SDK: findings become events of the default bus', async () => {
  const events = new eb.EventBridgeClient(account.client());
  const EventSourceArn = `arn:aws:events:us-east-1:${accountId}:event-bus/default`;
  const EventPattern = JSON.stringify({ source: ['aws.access-analyzer'], detail: { status: ['RESOLVED'] } });
  await events.send(new eb.CreateArchiveCommand({ ArchiveName: 'findings', EventSourceArn, EventPattern }));
  await admin.send(
    new iam.UpdateAssumeRolePolicyCommand({ RoleName: 'second', PolicyDocument: policy(trustService('ec2.amazonaws.com')) }),
  );
  let count: number | undefined;
  await until(
    async () => {
      count = (await events.send(new eb.DescribeArchiveCommand({ ArchiveName: 'findings' }))).EventCount;
      return count === 1;
    },
    () => `${count} events`,
  );
});

// biome-ignore format: a table
const REFUSED: readonly (readonly [title: string, command: () => Promise<unknown>, code: string, message?: RegExp])[] = [
  ['CreateAnalyzer: a second analyzer of the account',    () => client.send(new aa.CreateAnalyzerCommand({ analyzerName: 'two', type: 'ACCOUNT' })),                                                                                       'ServiceQuotaExceededException'],
  ['CreateAnalyzer: an existing name',                    () => client.send(new aa.CreateAnalyzerCommand({ analyzerName: 'own', type: 'ACCOUNT_UNUSED_ACCESS' })),                                                                         'ConflictException'],
  ['CreateAnalyzer: internal access',                     () => client.send(new aa.CreateAnalyzerCommand({ analyzerName: 'in', type: 'ACCOUNT_INTERNAL_ACCESS' })),                                                                        'ValidationException', /does not analyze the internal access/],
  ['CreateAnalyzer: a configuration of external access',  () => client.send(new aa.CreateAnalyzerCommand({ analyzerName: 'x', type: 'ACCOUNT', configuration: { unusedAccess: {} } })),                                                    'ValidationException', /has no configuration/],
  ['CreateAnalyzer: 366 days',                            () => client.send(new aa.CreateAnalyzerCommand({ analyzerName: 'x', type: 'ACCOUNT_UNUSED_ACCESS', configuration: { unusedAccess: { unusedAccessAge: 366 } } })),               'ValidationException', /between 1 and 365/],
  ['CreateAnalyzer: accounts that an account excludes',   () => client.send(new aa.CreateAnalyzerCommand({ analyzerName: 'x', type: 'ACCOUNT_UNUSED_ACCESS', configuration: { unusedAccess: { analysisRule: { exclusions: [{ accountIds: ['999988887777'] }] } } } })), 'ValidationException', /Only an analyzer of an organization/],
  ['CreateAnalyzer: an invalid archive rule',             () => client.send(new aa.CreateAnalyzerCommand({ analyzerName: 'x', type: 'ACCOUNT_UNUSED_ACCESS', archiveRules: [{ ruleName: 'r', filter: {} }] })),                            'ValidationException', /at least one criterion/],
  ['CreateAnalyzer: a reserved tag',                      () => client.send(new aa.CreateAnalyzerCommand({ analyzerName: 'x', type: 'ACCOUNT_UNUSED_ACCESS', tags: { 'aws:x': '' } })),                                                    'ValidationException', /reserved/],
  ['GetAnalyzer: an unknown name',                        () => client.send(new aa.GetAnalyzerCommand({ analyzerName: 'none' })),                                                                                                          'ResourceNotFoundException'],
  ['UpdateAnalyzer: an analyzer without configuration',   () => client.send(new aa.UpdateAnalyzerCommand({ analyzerName: 'own', configuration: { unusedAccess: {} } })),                                                                   'ValidationException', /has no configuration/],
  ['DeleteAnalyzer: an unknown name',                     () => client.send(new aa.DeleteAnalyzerCommand({ analyzerName: 'none' })),                                                                                                       'ResourceNotFoundException'],
  ['CreateArchiveRule: an existing name',                 () => client.send(new aa.CreateArchiveRuleCommand({ analyzerName: 'own', ruleName: 'known', filter: { resource: { exists: true } } })),                                           'ConflictException'],
  ['CreateArchiveRule: an unknown key',                   () => client.send(new aa.CreateArchiveRuleCommand({ analyzerName: 'own', ruleName: 'new', filter: { status: { exists: true } } })),                                               'ValidationException', /Invalid filter key: status/],
  ['CreateArchiveRule: an unknown analyzer',              () => client.send(new aa.CreateArchiveRuleCommand({ analyzerName: 'none', ruleName: 'new', filter: { resource: { exists: true } } })),                                            'ResourceNotFoundException'],
  ['UpdateArchiveRule: an unknown rule',                  () => client.send(new aa.UpdateArchiveRuleCommand({ analyzerName: 'own', ruleName: 'none', filter: { resource: { exists: true } } })),                                            'ResourceNotFoundException'],
  ['DeleteArchiveRule: an unknown rule',                  () => client.send(new aa.DeleteArchiveRuleCommand({ analyzerName: 'own', ruleName: 'none' })),                                                                                   'ResourceNotFoundException'],
  ['ApplyArchiveRule: an unknown rule',                   () => client.send(new aa.ApplyArchiveRuleCommand({ analyzerArn, ruleName: 'none' })),                                                                                            'ResourceNotFoundException'],
  ['ListFindings: an unknown order',                      () => client.send(new aa.ListFindingsCommand({ analyzerArn, sort: { attributeName: 'color' } })),                                                                                'ValidationException', /Cannot sort by 'color'/],
  ['ListFindings: 21 values of a criterion',              () => client.send(new aa.ListFindingsCommand({ analyzerArn, filter: { resource: { eq: Array.from({ length: 21 }, () => 'x') } } })),                      'ValidationException', /filter/],
  ['ListFindings: no results',                            () => client.send(new aa.ListFindingsCommand({ analyzerArn, maxResults: 0 })),                                                                                                   'ValidationException', /at least 1/],
  ['ListFindings: another region',                        () => client.send(new aa.ListFindingsCommand({ analyzerArn: analyzerArn.replace('us-east-1', 'us-west-2') })),                                                                   'ResourceNotFoundException'],
  ['GetFinding: an unknown finding',                      () => client.send(new aa.GetFindingCommand({ analyzerArn, id: 'none' })),                                                                                                        'ResourceNotFoundException'],
  ['UpdateFindings: neither IDs nor a resource',          () => client.send(new aa.UpdateFindingsCommand({ analyzerArn, status: 'ACTIVE' })),                                                                                              'ValidationException', /either ids or resourceArn/],
  ['UpdateFindings: 101 IDs',                             () => client.send(new aa.UpdateFindingsCommand({ analyzerArn, status: 'ACTIVE', ids: Array.from({ length: 101 }, () => 'f') })),                                                  'ValidationException', /at most 100/],
  ['UpdateFindings: an unknown resource',                 () => client.send(new aa.UpdateFindingsCommand({ analyzerArn, status: 'ACTIVE', resourceArn: account.roleArn('none') })),                                                        'ResourceNotFoundException'],
  ['StartResourceScan: a resource that does not exist',   () => client.send(new aa.StartResourceScanCommand({ analyzerArn, resourceArn: account.roleArn('none') })),                                                                       'ResourceNotFoundException'],
  ['StartResourceScan: a resource of another account',    () => client.send(new aa.StartResourceScanCommand({ analyzerArn, resourceArn: other.roleArn('none') })),                                                                         'ResourceNotFoundException'],
  ['StartResourceScan: a queue',                          () => client.send(new aa.StartResourceScanCommand({ analyzerArn, resourceArn: `arn:aws:sqs:us-east-1:${accountId}:q` })),                                                         'ValidationException', /roles and buckets/],
  ['GetAnalyzedResource: an unknown resource',            () => client.send(new aa.GetAnalyzedResourceCommand({ analyzerArn, resourceArn: account.roleArn('none') })),                                                                     'ResourceNotFoundException'],
  ['TagResource: an unknown analyzer',                    () => client.send(new aa.TagResourceCommand({ resourceArn: arnOf('none'), tags: { a: 'b' } })),                                                                                  'ResourceNotFoundException'],
  ['TagResource: another partition',                       () => client.send(new aa.TagResourceCommand({ resourceArn: analyzerArn.replace(':aws:', ':aws-cn:'), tags: { a: 'b' } })),                                                                                  'ResourceNotFoundException'],
  ['CreateServiceLinkedAnalyzer: no service uses it',     () => client.send(new aa.CreateServiceLinkedAnalyzerCommand({ type: 'ACCOUNT' })),                                                                                               'AccessDeniedException', /Only AWS services/],
  ['DeleteServiceLinkedAnalyzer: an own analyzer',        () => client.send(new aa.DeleteServiceLinkedAnalyzerCommand({ analyzerName: 'own' })),                                                                                           'ValidationException', /not service-linked/],
];

for (const [title, command, code, message = /./] of REFUSED) {
  test(`${title} is ${code}`, async () => {
    await assert.rejects(command(), { name: code, message });
  });
}

test('Client tokens: a repeated CreateAnalyzer and DeleteAnalyzer succeed, and another request with the token is a conflict', async () => {
  const create = { analyzerName: 'token', type: 'ACCOUNT_UNUSED_ACCESS', clientToken: 't' } as const;
  for (let i = 0; i < 2; i++) assert.equal((await client.send(new aa.CreateAnalyzerCommand(create))).arn, arnOf('token'));
  assert.equal(await outcomeOf(client.send(new aa.CreateAnalyzerCommand({ ...create, tags: { a: 'b' } }))), 'Conflict');
  const remove = { analyzerName: 'token', clientToken: 'd' };
  for (let i = 0; i < 2; i++) await client.send(new aa.DeleteAnalyzerCommand(remove));
});

test('Another account: its analyzers are refused, also if a policy allows them', async () => {
  const reads = [
    () => stranger.send(new aa.ListFindingsCommand({ analyzerArn })),
    () => stranger.send(new aa.GetFindingsStatisticsCommand({ analyzerArn })),
    () => stranger.send(new aa.ListTagsForResourceCommand({ resourceArn: analyzerArn })),
    () => stranger.send(new aa.UpdateFindingsCommand({ analyzerArn, status: 'ARCHIVED', ids: ['f'] })),
    () => stranger.send(new aa.ApplyArchiveRuleCommand({ analyzerArn, ruleName: 'known' })),
  ];
  for (const read of reads) assert.equal(await outcomeOf(read()), 'AccessDenied');
});

test('Permissions: a user with access to one analyzer, but not to its archive rules', async () => {
  const user = await account.user(
    'auditor',
    allow('access-analyzer:*', [analyzerArn, `${analyzerArn}/archive-rule/*`]),
    deny('access-analyzer:*', `${analyzerArn}/archive-rule/known`),
  );
  const auditor = new aa.AccessAnalyzerClient(account.client(user));
  assert.equal(await outcomeOf(auditor.send(new aa.ListFindingsV2Command({ analyzerArn }))), 'allowed');
  assert.equal(await outcomeOf(auditor.send(new aa.ListArchiveRulesCommand({ analyzerName: 'own' }))), 'allowed');
  assert.equal(await outcomeOf(auditor.send(new aa.GetArchiveRuleCommand({ analyzerName: 'own', ruleName: 'known' }))), 'AccessDenied');
  assert.equal(await outcomeOf(auditor.send(new aa.GetAnalyzerCommand({ analyzerName: 'idle' }))), 'AccessDenied');
  assert.equal(await outcomeOf(auditor.send(new aa.ListAnalyzersCommand({}))), 'AccessDenied');
});

/** Runs Debian's AWS CLI. Returns its output, parsed as JSON. */
async function aws(...command: readonly string[]) {
  const { stdout } = await promisify(execFile)(
    '/usr/bin/aws',
    ['--endpoint-url', server.httpsEndpoint, '--output', 'json', '--no-cli-pager', 'accessanalyzer', ...command],
    {
      env: {
        PATH: process.env['PATH'],
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_CA_BUNDLE: server.caFile,
        AWS_CONFIG_FILE: '/dev/null',
        AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    },
  );
  return stdout.trim() === '' ? undefined : JSON.parse(stdout);
}

test('AWS CLI: an analyzer, its rules and its findings', async () => {
  const created = await aws('create-analyzer', '--analyzer-name', 'cli', '--type', 'ACCOUNT_UNUSED_ACCESS', '--tags', 'team=a');
  assert.deepEqual(created, { arn: arnOf('cli') });
  const filter = JSON.stringify({ resource: { contains: ['legacy'] } });
  await aws('create-archive-rule', '--analyzer-name', 'cli', '--rule-name', 'r', '--filter', filter);
  const { archiveRules } = await aws('list-archive-rules', '--analyzer-name', 'cli');
  assert.deepEqual(
    archiveRules.map((each: { ruleName: string }) => each.ruleName),
    ['r'],
  );
  const { findings } = await aws('list-findings', '--analyzer-arn', analyzerArn, '--filter', '{"status":{"eq":["ACTIVE"]}}');
  assert.deepEqual(
    findings.map((each: { resource: string }) => each.resource),
    [account.roleArn('first')],
  );
  const { finding } = await aws('get-finding', '--analyzer-arn', analyzerArn, '--id', findings[0].id);
  assert.equal(finding.status, 'ACTIVE');
  await aws('update-findings', '--analyzer-arn', analyzerArn, '--status', 'ARCHIVED', '--ids', findings[0].id);
  await aws('start-resource-scan', '--analyzer-arn', analyzerArn, '--resource-arn', account.roleArn('first'));
  const { resource } = await aws('get-analyzed-resource', '--analyzer-arn', analyzerArn, '--resource-arn', account.roleArn('first'));
  assert.equal(resource.status, 'ARCHIVED');
  await aws('delete-analyzer', '--analyzer-name', 'cli');
  const { analyzers } = await aws('list-analyzers');
  assert.deepEqual(
    analyzers.map((each: { name: string }) => each.name),
    ['own'],
  );
});
