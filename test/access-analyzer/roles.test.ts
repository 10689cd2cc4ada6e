import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import * as aa from '@aws-sdk/client-accessanalyzer';
import * as iam from '@aws-sdk/client-iam';
import { otherAccount } from '../kit/account.ts';
import { policy, type Statement, trust, trustProvider, trustService } from '../kit/policy.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { createAnalyzer, findingReader, STRANGER, startAnalyzedAccount } from './fixture.ts';

/** Findings of external access follow each change of a role, on both engines. All changes are calls of unmodified clients. */

// biome-ignore format: a table
const EXTERNAL_TRUST: readonly (readonly [title: string, statement: Statement, principal: Record<string, string>, isPublic: boolean | undefined])[] = [
  // title               statement                                                                          principal of the finding               public
  ['an account',         trust(STRANGER),                                                                   { AWS: STRANGER },                     false],
  ['the root user',      trust(`arn:aws:iam::${STRANGER}:root`),                                            { AWS: STRANGER },                     false],
  ['everyone',           trust('*'),                                                                        { AWS: '*' },                          true],
  ['an OpenID provider', trustProvider('accounts.google.com', 'sts:AssumeRoleWithWebIdentity'),             { Federated: 'accounts.google.com' },  true ],
];

const postgres = await testPostgres();
after(() => postgres.stop());

for (const [engine, settings] of [
  ['SQLite', {}],
  ['PostgreSQL', { BELFRY_DATABASE: postgres.url }],
] as const) {
  describe(`Findings of roles on ${engine}`, async () => {
    const { account, analyzer, analyzerArn, findingsOf, statusesOf, identified } = await startAnalyzedAccount(settings);
    const { accountId, admin } = account;

    for (const [index, [title, statement, principal, isPublic]] of EXTERNAL_TRUST.entries()) {
      test(`a role that trusts ${title}: the finding appears and disappears with the statement`, async () => {
        const RoleName = `trusting${index}`;
        const arn = await account.role(RoleName, trustService('ec2.amazonaws.com'));
        assert.deepEqual(await statusesOf(arn), []);

        await admin.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: policy(statement) }));
        const [finding, ...more] = await findingsOf(arn);
        assert.equal(more.length, 0);
        assert.equal(finding?.status, 'ACTIVE');
        assert.equal(finding.resourceType, 'AWS::IAM::Role');
        assert.equal(finding.resourceOwnerAccount, accountId);
        assert.deepEqual(Object.keys(finding.principal ?? {}), Object.keys(principal));
        assert.match(Object.values(finding.principal ?? {})[0] ?? '', new RegExp(Object.values(principal)[0]?.replace('*', '\\*') ?? ''));
        if (isPublic !== undefined) assert.equal(finding.isPublic, isPublic);

        await admin.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: policy(trustService('ec2.amazonaws.com')) }));
        assert.deepEqual(await identified(arn), [[finding.id, 'RESOLVED']]);

        await admin.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: policy(statement) }));
        assert.deepEqual(await identified(arn), [[finding.id, 'ACTIVE']], 'the same finding is active again');

        await admin.send(new iam.DeleteRoleCommand({ RoleName }));
        assert.deepEqual(await identified(arn), [[finding.id, 'RESOLVED']]);
      });
    }

    test('CreateRole: a role that trusts its own account has no finding', async () => {
      assert.deepEqual(await statusesOf(await account.role('inside', trust(accountId))), []);
    });

    test('a role with other permissions for the same principal: a new finding, and the old one is resolved', async () => {
      const arn = await account.role('changing', trust(STRANGER));
      await admin.send(
        new iam.UpdateAssumeRolePolicyCommand({
          RoleName: 'changing',
          PolicyDocument: policy(trust(STRANGER, ['sts:AssumeRole', 'sts:TagSession'])),
        }),
      );
      assert.deepEqual(await statusesOf(arn), ['RESOLVED', 'ACTIVE']);
    });

    test('a policy that says the same in another form: the archived finding stays archived, with the present form', async () => {
      const addresses = ['203.0.113.0/24', '198.51.100.0/24'];
      const statement = (Action: readonly string[], ips: readonly string[]) =>
        policy({ ...trust(STRANGER), Action, Condition: { IpAddress: { 'aws:SourceIp': ips } } });
      const RoleName = 'rewritten';
      const AssumeRolePolicyDocument = statement(['sts:AssumeRole', 'sts:TagSession'], addresses);
      await admin.send(new iam.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
      const arn = account.roleArn(RoleName);
      const [before] = await findingsOf(arn);
      await analyzer.send(new aa.UpdateFindingsCommand({ analyzerArn, status: 'ARCHIVED', ids: [before?.id ?? ''] }));

      const PolicyDocument = statement(['STS:TagSession', 'sts:AssumeRole', 'sts:assumerole'], addresses.toReversed());
      await admin.send(new iam.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
      const [after, ...more] = await findingsOf(arn);
      assert.equal(more.length, 0);
      assert.deepEqual([after?.id, after?.status, after?.createdAt], [before?.id, 'ARCHIVED', before?.createdAt]);
      assert.deepEqual(after?.condition, { 'aws:SourceIp': '198.51.100.0/24,203.0.113.0/24' });
      assert.ok(Number(after?.updatedAt) > Number(before?.updatedAt));
    });

    test('CreateAnalyzer: the first scan finds the access that existed before', async () => {
      const other = await otherAccount(account.server, 'other');
      const roleArn = await other.role('before', trust(STRANGER));
      const client = new aa.AccessAnalyzerClient(other.client());
      const { statusesOf } = findingReader(client, await createAnalyzer(client, 'later'));
      await until(
        async () => (await statusesOf(roleArn)).length === 1,
        () => 'the scan found nothing',
      );
      const { analyzer: summary } = await client.send(new aa.GetAnalyzerCommand({ analyzerName: 'later' }));
      assert.equal(summary?.status, 'ACTIVE');
      assert.ok(summary.lastResourceAnalyzedAt instanceof Date);
    });
  });
}
