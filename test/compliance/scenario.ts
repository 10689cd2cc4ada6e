/** A server with known facts, whose compliance report tests read. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AccessAnalyzerClient, CreateAnalyzerCommand } from '@aws-sdk/client-accessanalyzer';
import { CreateAccountCommand as CreateChimeAccountCommand, PutRetentionSettingsCommand } from '@aws-sdk/client-chime';
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateGroupCommand,
  CreateLoginProfileCommand,
  CreatePolicyCommand,
  GetUserCommand,
  ListUsersCommand,
  PutGroupPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  AttachPolicyCommand,
  CreateAccountCommand,
  CreateOrganizationCommand,
  CreatePolicyCommand as CreateScpCommand,
  EnableAWSServiceAccessCommand,
  EnablePolicyTypeCommand,
  ListRootsCommand,
  OrganizationsClient,
} from '@aws-sdk/client-organizations';
import type { ComplianceReport } from '#compliance/report/report.ts';
import { startAccount, type TestAccount } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import type { Keys } from '../kit/keys.ts';
import { newMfaDevice } from '../kit/mfa.ts';
import { verdictOf } from '../kit/outcome.ts';
import { allow, deny, managed, policy, trust } from '../kit/policy.ts';
import { belfry, type Ran } from '../kit/process.ts';

/** Account outside of the zone of trust. */
export const STRANGER = '999988887777';
export const PASSWORD = 'Canary-Correct-Horse-7';
/** Name with markup, which a page must show as text. */
export const MARKUP = '<img src=x onerror=alert(1)>&amp;"\'';

/** Policy of a group without users that allows everything. Its text has markup, and is long enough that its evidence is a hash. */
export const OPEN_POLICY = policy(allow('*'), deny('s3:GetObject', `arn:aws:s3:::b/${MARKUP}/${'long/'.repeat(40)}`));

export interface Scenario {
  readonly account: TestAccount;
  readonly memberId: string;
  readonly ada: Keys;
  /** Secrets that no file of a report may contain. */
  readonly secrets: readonly string[];
}

/** Starts a server with users, roles, an organization and requests. Some requests are denied. */
export async function startScenario(environment: Readonly<Record<string, string>> = {}): Promise<Scenario> {
  const account = await startAccount(environment);
  const { admin, server } = account;
  const boundary = await admin.send(
    new CreatePolicyCommand({ PolicyName: 'edge', PolicyDocument: policy(allow(['chime:*', 'iam:Get*'])) }),
  );
  const ada = await account.user(
    { UserName: 'ada', PermissionsBoundary: boundary.Policy?.Arn },
    allow(['chime:GetMeeting', 'iam:GetUser', 'iam:DeleteUser']),
    deny('chime:GetMeeting', '*', { Sid: 'Never' }),
    managed('AmazonChimeReadOnly'),
  );
  const bob = await account.user('bob');
  await admin.send(new CreateGroupCommand({ GroupName: 'readers' }));
  await admin.send(new PutGroupPolicyCommand({ GroupName: 'readers', PolicyName: 'g', PolicyDocument: policy(allow('iam:ListUsers')) }));
  await admin.send(new AddUserToGroupCommand({ GroupName: 'readers', UserName: 'bob' }));
  await admin.send(new CreateGroupCommand({ GroupName: 'open' }));
  await admin.send(new PutGroupPolicyCommand({ GroupName: 'open', PolicyName: 'everything', PolicyDocument: OPEN_POLICY }));
  await admin.send(new CreateLoginProfileCommand({ UserName: 'bob', Password: PASSWORD }));
  await admin.send(new CreateLoginProfileCommand({ UserName: 'ada', Password: `${PASSWORD}-2` }));
  const device = await newMfaDevice(admin, 'ada');
  const role = await account.role('worker', trust(account.userArn('ada')), allow('chime:*'));
  await admin.send(new AttachUserPolicyCommand({ UserName: 'ada', PolicyArn: await stsPolicy(account) }));

  const verdicts = [];
  for (const keys of [bob, bob, bob]) verdicts.push(await verdictOf(account.iam(keys).send(new ListUsersCommand({}))));
  for (const keys of [bob, bob]) verdicts.push(await verdictOf(account.iam(keys).send(new GetUserCommand({ UserName: 'ada' }))));
  await assert.rejects(account.iam(ada).send(new GetUserCommand({ UserName: 'nobody' })), { name: 'NoSuchEntityException' });
  assert.deepEqual(verdicts, ['allowed', 'allowed', 'allowed', 'refused', 'refused']);

  const analyzer = new AccessAnalyzerClient(server.at('accessanalyzer'));
  await analyzer.send(new CreateAnalyzerCommand({ analyzerName: 'own', type: 'ACCOUNT' }));
  await account.role('partner', trust(`arn:aws:iam::${STRANGER}:root`));

  const memberId = await createMember(account);
  // It covers the member. Users and roles of this age have no findings of it.
  await analyzer.send(new CreateAnalyzerCommand({ analyzerName: 'org', type: 'ORGANIZATION_UNUSED_ACCESS' }));
  const chime = await account.chime().send(new CreateChimeAccountCommand({ Name: MARKUP }));
  await assert.rejects(
    account.chime().send(
      new PutRetentionSettingsCommand({
        AccountId: chime.Account?.AccountId,
        RetentionSettings: { RoomRetentionSettings: { RetentionDays: 30 } },
      }),
    ),
    { name: 'BadRequestException' },
  );
  const operatorKey = readFileSync(join(server.dataFolder, 'operator.key'), 'latin1').trim();
  const secrets = [ada.secretAccessKey, bob.secretAccessKey, account.keys.secretAccessKey, PASSWORD, operatorKey, device.TokenCode];
  assert.equal(role, account.roleArn('worker'));
  return { account, memberId, ada, secrets };
}

async function stsPolicy({ admin }: TestAccount): Promise<string> {
  const PolicyDocument = policy(allow('sts:AssumeRole'));
  const { Policy } = await admin.send(new CreatePolicyCommand({ PolicyName: 'assume', PolicyDocument }));
  return Policy?.Arn as string;
}

/** Creates a member account whose organization denies iam:DeleteUser. */
async function createMember({ server }: TestAccount): Promise<string> {
  const organizations = new OrganizationsClient(server.client());
  await organizations.send(new CreateOrganizationCommand({}));
  await organizations.send(new EnableAWSServiceAccessCommand({ ServicePrincipal: 'access-analyzer.amazonaws.com' }));
  const RootId = (await organizations.send(new ListRootsCommand({}))).Roots?.[0]?.Id as string;
  const AccountName = MARKUP.slice(0, 50);
  const { CreateAccountStatus } = await organizations.send(new CreateAccountCommand({ AccountName, Email: 'm@example.com' }));
  await organizations.send(new EnablePolicyTypeCommand({ RootId, PolicyType: 'SERVICE_CONTROL_POLICY' }));
  const scp = { Name: 'keep', Description: '', Type: 'SERVICE_CONTROL_POLICY', Content: policy(deny('iam:DeleteUser')) } as const;
  const { Policy } = await organizations.send(new CreateScpCommand(scp));
  await organizations.send(new AttachPolicyCommand({ PolicyId: Policy?.PolicySummary?.Id, TargetId: RootId }));
  return CreateAccountStatus?.AccountId as string;
}

/** A report that the command has written. */
export interface Written extends Ran {
  readonly folder: string;
  readonly report: ComplianceReport;
  readonly page: string;
  /** Returns the documents of a file with lines. */
  lines<Item>(name: string): readonly Item[];
  /** Returns the content of all files, by name. */
  readonly files: ReadonlyMap<string, string>;
}

/** Runs `belfry compliance report`, and reads its files. */
export async function written(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Written> {
  const folder = join(newFolder('report'), randomUUID());
  const ran = await belfry(['compliance', 'report', '--out', folder, ...args], environment);
  assert.ok(ran.stdout.includes('report.html'), ran.stderr);
  const files = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  return {
    ...ran,
    folder,
    files,
    report: JSON.parse(files.get('report.json') ?? '') as ComplianceReport,
    page: files.get('report.html') ?? '',
    lines: <Item>(name: string) =>
      (files.get(name) ?? '')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Item),
  };
}
