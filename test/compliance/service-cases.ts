/** Calls that break and satisfy the configuration rules about trails, buckets, accounts of Amazon Chime and organizations. */
import { CreateAccountCommand, PutRetentionSettingsCommand } from '@aws-sdk/client-chime';
import * as cloudtrail from '@aws-sdk/client-cloudtrail';
import * as organizations from '@aws-sdk/client-organizations';
import * as s3 from '@aws-sdk/client-s3';
import { trailRetention } from '#store/trail/trail-retention.ts';
import { allow, policy } from '../kit/policy.ts';
import { until } from '../kit/until.ts';
import { accountId, buckets, type Case, chime, core, org, ownChime, trails, txtRecords } from './rules-core.ts';

/** Cases of the rules about other services than IAM. Some cases need the calls of earlier ones. */
export const SERVICE_CASES: Case[] = [];
const cases = SERVICE_CASES;

const trail = { Name: 'audit', S3BucketName: 'audit-logs' };
const updated = (input: object) => trails.send(new cloudtrail.UpdateTrailCommand({ Name: 'audit', ...input }));
cases.push({
  rule: 'cloudtrail-enabled',
  about: 'rail',
  prepare: async () => {
    await trails.send(new cloudtrail.CreateTrailCommand(trail));
    await trails.send(new cloudtrail.StartLoggingCommand({ Name: 'audit' }));
  },
  violate: () => trails.send(new cloudtrail.StopLoggingCommand({ Name: 'audit' })),
  comply: () => trails.send(new cloudtrail.StartLoggingCommand({ Name: 'audit' })),
});
cases.push({
  rule: 'multi-region-cloudtrail-enabled',
  about: 'rail',
  prepare: () => updated({ IsMultiRegionTrail: true }),
  violate: () => updated({ IsMultiRegionTrail: false }),
  comply: () => updated({ IsMultiRegionTrail: true }),
});
cases.push({
  rule: 'cloud-trail-log-file-validation-enabled',
  about: "'audit'",
  prepare: () => updated({ EnableLogFileValidation: true }),
  violate: () => updated({ EnableLogFileValidation: false }),
  comply: () => updated({ EnableLogFileValidation: true }),
});
cases.push({
  rule: 'cloudtrail-enabled',
  about: 'rail',
  violate: () => trails.send(new cloudtrail.DeleteTrailCommand({ Name: 'audit' })),
  comply: async () => {
    await trails.send(new cloudtrail.CreateTrailCommand(trail));
    await trails.send(new cloudtrail.StartLoggingCommand({ Name: 'audit' }));
  },
});

type Selectors = Omit<cloudtrail.PutEventSelectorsCommandInput, 'TrailName'>;
const management = { ReadWriteType: 'All', IncludeManagementEvents: true } as const;
const objects = [{ Type: 'AWS::S3::Object', Values: ['arn:aws:s3'] }];
const fields = (...FieldSelectors: readonly cloudtrail.AdvancedFieldSelector[]) => [{ FieldSelectors: [...FieldSelectors] }];
const category = { Field: 'eventCategory', Equals: ['Management'] };
for (const [how, selectors] of Object.entries({
  'only data events': { EventSelectors: [{ ...management, IncludeManagementEvents: false, DataResources: objects }] },
  'only writes': { EventSelectors: [{ ...management, ReadWriteType: 'WriteOnly' }] },
  'an excluded source': { EventSelectors: [{ ...management, ExcludeManagementEventSources: ['kms.amazonaws.com'] }] },
  'only advanced reads': { AdvancedEventSelectors: fields(category, { Field: 'readOnly', Equals: ['true'] }) },
  'an advanced excluded source': { AdvancedEventSelectors: fields(category, { Field: 'eventSource', NotEquals: ['kms.amazonaws.com'] }) },
} satisfies Record<string, Selectors>)) {
  const select = (input: Selectors) => trails.send(new cloudtrail.PutEventSelectorsCommand({ TrailName: 'audit', ...input }));
  cases.push({
    rule: 'multi-region-cloudtrail-enabled',
    how,
    about: 'rail',
    prepare: () => updated({ IsMultiRegionTrail: true }),
    violate: () => select(selectors),
    comply: () =>
      'EventSelectors' in selectors
        ? select({
            EventSelectors: [
              { ...management, ReadWriteType: 'ReadOnly' },
              { ...management, ReadWriteType: 'WriteOnly' },
            ],
          })
        : select({ AdvancedEventSelectors: fields(category) }),
  });
}

/** The operator sets the retention by a command, because AWS has no such call. `server-rules.test.ts` runs the command. */
const retention = (days: number) => core.store.transaction((tx) => tx.of(trailRetention).set(accountId, days));
cases.push({ rule: 'event-history-retention-check', about: 'event history', violate: () => retention(89), comply: () => retention(90) });

const setBucketPolicy = (Action: string, more: object = {}) =>
  buckets.send(
    new s3.PutBucketPolicyCommand({
      Bucket: 'shared',
      Policy: policy({ ...allow(Action, 'arn:aws:s3:::shared/*'), Principal: '*', ...more }),
    }),
  );
for (const [rule, action, other] of [
  ['s3-bucket-public-read-prohibited', 's3:GetObject', 's3:PutObject'],
  ['s3-bucket-public-write-prohibited', 's3:PutObject', 's3:GetObject'],
  ['s3-bucket-public-read-prohibited', 's3:G*', 's3:DeleteObject'],
  ['s3-bucket-public-write-prohibited', 's3:*', 's3:GetObject'],
] as const) {
  cases.push({
    rule,
    about: "'shared'",
    prepare: () => buckets.send(new s3.CreateBucketCommand({ Bucket: 'shared' })).catch(() => undefined),
    violate: () => setBucketPolicy(action),
    comply: () => setBucketPolicy(other),
  });
  cases.push({
    rule,
    about: "'shared'",
    violate: () => setBucketPolicy(action, { Condition: { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } } }),
    comply: () => setBucketPolicy(action, { Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } }),
  });
  cases.push({
    rule,
    about: "'shared'",
    violate: () => setBucketPolicy(action),
    comply: () => buckets.send(new s3.DeleteBucketPolicyCommand({ Bucket: 'shared' })),
  });
}

/** Claims a domain, whose record the server then finds. An account with a domain is an Enterprise account. */
async function becomeEnterprise(AccountId: string): Promise<void> {
  const DomainName = 'corp.example';
  const { Domain } = await ownChime('AddDomain', { AccountId, DomainName });
  txtRecords.set(Domain?.RecordName ?? '', Domain?.RecordValue ?? '');
  await until(
    async () => (await ownChime('GetDomain', { AccountId, DomainName })).Domain?.DomainStatus === 'Verified',
    () => 'the domain is verified',
  );
}

let chimeAccount = '';
const setRetention = (room: object, conversation: object) =>
  chime.send(
    new PutRetentionSettingsCommand({
      AccountId: chimeAccount,
      RetentionSettings: { RoomRetentionSettings: room, ConversationRetentionSettings: conversation },
    }),
  );
cases.push({
  rule: 'chime-retention-settings-enabled',
  about: "'Example'",
  async violate() {
    chimeAccount = (await chime.send(new CreateAccountCommand({ Name: 'Example' }))).Account?.AccountId ?? '';
    await becomeEnterprise(chimeAccount);
  },
  comply: () => setRetention({ RetentionDays: 30 }, { RetentionDays: 60 }),
});
cases.push({
  rule: 'chime-retention-settings-enabled',
  about: "'Example'",
  violate: () => setRetention({ RetentionDays: 30 }, {}),
  comply: () => setRetention({ RetentionDays: 30 }, { RetentionDays: 1 }),
});

const SERVICE_CONTROL_POLICY = 'SERVICE_CONTROL_POLICY';
let scp: string | undefined;
let root = '';
const scpAt = (TargetId: string) => ({ PolicyId: scp, TargetId });
cases.push({
  rule: 'organizations-service-control-policy-attached',
  about: 'ervice control policy',
  async violate() {
    await org.send(new organizations.CreateOrganizationCommand({ FeatureSet: 'ALL' }));
    root = (await org.send(new organizations.ListRootsCommand({}))).Roots?.[0]?.Id ?? '';
  },
  async comply() {
    await org.send(new organizations.EnablePolicyTypeCommand({ RootId: root, PolicyType: SERVICE_CONTROL_POLICY }));
    const input = { Name: 'limits', Description: '', Content: policy(allow('*')), Type: SERVICE_CONTROL_POLICY } as const;
    scp = (await org.send(new organizations.CreatePolicyCommand(input))).Policy?.PolicySummary?.Id;
    await org.send(new organizations.AttachPolicyCommand(scpAt(root)));
  },
});
cases.push({
  rule: 'organizations-service-control-policy-attached',
  about: 'ervice control policy',
  violate: () => org.send(new organizations.DetachPolicyCommand(scpAt(root))),
  async comply() {
    const unit = await org.send(new organizations.CreateOrganizationalUnitCommand({ ParentId: root, Name: 'unit' }));
    await org.send(new organizations.AttachPolicyCommand(scpAt(unit.OrganizationalUnit?.Id ?? '')));
  },
});
cases.push({
  rule: 'organizations-service-control-policy-attached',
  how: 'only the management account has a policy',
  about: 'ervice control policy',
  prepare: () => org.send(new organizations.AttachPolicyCommand(scpAt(accountId))),
  async violate() {
    const targets = await org.send(new organizations.ListTargetsForPolicyCommand({ PolicyId: scp }));
    const units = targets.Targets?.filter(({ Type }) => Type !== 'ACCOUNT') ?? [];
    for (const { TargetId = '' } of units) await org.send(new organizations.DetachPolicyCommand(scpAt(TargetId)));
  },
  comply: () => org.send(new organizations.AttachPolicyCommand(scpAt(root))),
});
