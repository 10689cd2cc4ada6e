/** `belfry compliance check` on the databases of running servers, on both engines, and through the servers. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { CloudTrailClient, DescribeTrailsCommand } from '@aws-sdk/client-cloudtrail';
import { CreateLoginProfileCommand, CreateUserCommand } from '@aws-sdk/client-iam';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callOwn } from '../../src/cli/own-call.ts';
import { otherAccount, startAccount, type TestAccount } from '../kit/account.ts';
import type { Keys } from '../kit/keys.ts';
import { allow } from '../kit/policy.ts';
import { belfry } from '../kit/process.ts';
import { testPostgres } from '../store/test-postgres.ts';

type Results = AccessanalyzerApi['ListConfigurationRuleResults']['output']['results'];

interface Checked {
  readonly accounts: readonly {
    readonly accountId: string;
    readonly region: string;
    readonly evaluatedAt?: string;
    readonly rules: readonly { readonly name: string; readonly compliance: string; readonly results: Results }[];
  }[];
}

const postgres = await testPostgres();
const engines: readonly (readonly [name: string, environment: Readonly<Record<string, string>>])[] = [
  ['SQLite', {}],
  ['PostgreSQL', { BELFRY_DATABASE: postgres.url }],
];

function environmentOf({ server }: TestAccount, { accessKeyId, secretAccessKey }: Keys): Readonly<Record<string, string>> {
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_ENDPOINT_URL: server.endpoint };
}

/** Returns the output of a command without the time of the evaluation, which differs. */
function parsed(stdout: string): Checked {
  const { accounts } = JSON.parse(stdout) as Checked;
  for (const { evaluatedAt } of accounts) assert.match(evaluatedAt ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  return { accounts: accounts.map(({ evaluatedAt, ...account }) => account) };
}

for (const [engine, environment] of engines) {
  const account = await startAccount(environment);
  after(() => account.server.stop());
  const other = await otherAccount(account.server, 'other');
  await account.admin.send(new CreateUserCommand({ UserName: 'alice' }));
  await account.admin.send(new CreateLoginProfileCommand({ UserName: 'alice', Password: 'Correct-Horse-7' }));
  await other.user('bob', allow('*'));
  const check = (...args: readonly string[]) => belfry(['compliance', 'check', ...args, '--data', account.server.dataFolder], environment);

  test(`belfry compliance check on ${engine}: the database and the server have the same results`, async () => {
    for (const each of [account, other]) {
      const database = await check('--account', each.accountId, '--format', 'json');
      const server = await belfry(
        ['compliance', 'check', '--endpoint', account.server.endpoint, '--format', 'json'],
        environmentOf(account, each.keys),
      );
      assert.deepEqual([database.status, server.status, database.stderr, server.stderr], [1, 1, '', '']);
      assert.deepEqual(parsed(database.stdout), parsed(server.stdout));
      assert.equal(parsed(database.stdout).accounts[0]?.accountId, each.accountId);
    }
  });

  test(`belfry compliance check on ${engine}: without an account, all accounts are checked, each by its own records`, async () => {
    const { stdout } = await check('--format', 'json', '--rule', 'mfa-enabled-for-iam-console-access');
    const found = parsed(stdout).accounts.map(({ accountId, rules }) => [accountId, ...rules.flatMap(({ results }) => results)]);
    const [ofAccount, ofOther] = [account, other].map(({ accountId }) => found.find(([id]) => id === accountId));
    assert.equal(ofAccount?.length, 2);
    const alice = ofAccount?.[1] as Results[number] | undefined;
    assert.match(alice?.annotation ?? '', /'alice' has a password and no MFA devices/);
    assert.deepEqual(ofOther, [other.accountId]);
  });

  test(`belfry compliance check on ${engine}: prints noncompliant resources, and exits with 1 only if there are some`, async () => {
    const violated = await check('--account', account.accountId, '--rule', 'mfa-enabled-for-iam-console-access');
    assert.equal(violated.status, 1);
    assert.match(
      violated.stdout,
      /NON_COMPLIANT {3}mfa-enabled-for-iam-console-access \(1 of 1 resource\)\n +User 'alice' .* \[AWS::IAM::User AIDA/,
    );
    const complied = await check('--account', other.accountId, '--rule', 'iam-root-access-key-check');
    assert.deepEqual([complied.status, complied.stdout.split('\n')[1]], [0, 'COMPLIANT       iam-root-access-key-check']);
    const server = await belfry(
      ['compliance', 'check', '--endpoint', account.server.endpoint, '--rule', 'iam-root-access-key-check'],
      environmentOf(account, account.keys),
    );
    assert.deepEqual([server.status, server.stderr], [0, '']);
  });
}

// The server ends before its database.
after(postgres.stop);

// biome-ignore format: a table
const MISUSES: readonly (readonly [title: string, args: readonly string[], message: RegExp])[] = [
  ['an unknown rule',            ['--rule', 'no-such-rule'],                                    /unknown rule 'no-such-rule' \(rules: access-keys-rotated, /],
  ['an invalid account',         ['--account', '12'],                                           /--account must be the ID of an account/],
  ['an unknown account',         ['--account', '999999999999'],                                 /the database has no account '999999999999'/],
  ['an unknown format',          ['--format', 'xml'],                                           /--format is 'xml'; it must be text or json/],
  ['an endpoint and an account', ['--endpoint', 'http://127.0.0.1', '--account', '999999999999'], /--endpoint and --profile exclude --account/],
];

const sole = await startAccount();
after(() => sole.server.stop());

for (const [title, args, message] of MISUSES) {
  test(`belfry compliance check: ${title} is a misuse`, async () => {
    const data = args.includes('--endpoint') ? [] : ['--data', sole.server.dataFolder];
    const { status, stdout, stderr } = await belfry(['compliance', 'check', ...args, ...data], environmentOf(sole, sole.keys));
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, message);
  });
}

test('belfry compliance check: an invalid setting of the server in the environment is a misuse', async () => {
  const { status, stderr } = await belfry(['compliance', 'check', '--data', sole.server.dataFolder], { BELFRY_EVENT_HISTORY_DAYS: 'x' });
  assert.equal(status, 2);
  assert.match(stderr, /BELFRY_EVENT_HISTORY_DAYS is 'x'/);
});

test('belfry compliance check: the environment has the settings of the server', async () => {
  const settings = { BELFRY_EVENT_HISTORY_DAYS: '30', BELFRY_READS_WITHOUT_TRAIL: 'on', BELFRY_INTERNAL_ISSUERS: '10.0.0.5' };
  const { stdout } = await belfry(['compliance', 'check', '--format', 'json', '--data', sole.server.dataFolder], settings);
  const rules = parsed(stdout).accounts[0]?.rules ?? [];
  assert.deepEqual(
    rules.filter(({ name }) => name.startsWith('server-') || name.startsWith('event-')).map(({ name, compliance }) => [name, compliance]),
    [
      ['event-history-retention-check', 'NON_COMPLIANT'],
      ['server-no-internal-hosts', 'NON_COMPLIANT'],
      ['server-records-every-read', 'NON_COMPLIANT'],
      ['server-tls-version-check', 'COMPLIANT'],
    ],
  );
});

test('ListConfigurationRules, ListConfigurationRuleResults: each requires the permission of its name', async () => {
  const input = { ruleName: 'iam-root-access-key-check' };
  const operations = ['ListConfigurationRules', 'ListConfigurationRuleResults'] as const;
  for (const [i, name] of operations.entries()) {
    const keys = await sole.user(`auditor-${i}`, allow(`access-analyzer:${name}`));
    for (const called of operations) {
      const caller = { endpoint: sole.server.endpoint, region: 'us-east-1', credentials: keys };
      const model = loadModel('accessanalyzer').operations[called] as OperationModel;
      const { status, code } = await callOwn(caller, 'accessanalyzer', model, called === 'ListConfigurationRules' ? {} : input);
      assert.deepEqual([status, code], called === name ? [200, undefined] : [403, 'AccessDeniedException'], `${name} ${called}`);
    }
  }
});

// biome-ignore format: a table
const REFUSED: readonly (readonly [title: string, input: object, status: number, code: string])[] = [
  ['an unknown rule',         { ruleName: 'no-such-rule' },                                            404, 'ResourceNotFoundException'],
  ['no rule',                 {},                                                                      400, 'ValidationException'],
  ['an empty name',           { ruleName: '' },                                                        400, 'ValidationException'],
  ['an unknown compliance',   { ruleName: 'cloudtrail-enabled', compliance: 'PERHAPS' },               400, 'ValidationException'],
  ['no results',              { ruleName: 'cloudtrail-enabled', maxResults: 0 },                       400, 'ValidationException'],
  ['too many results',        { ruleName: 'cloudtrail-enabled', maxResults: 1001 },                    400, 'ValidationException'],
  ['a forged token',          { ruleName: 'cloudtrail-enabled', nextToken: 'k1.QQ0123456789abcdef' },  400, 'ValidationException'],
];

for (const [title, input, status, code] of REFUSED) {
  test(`ListConfigurationRuleResults: ${title} is ${code}`, async () => {
    const model = loadModel('accessanalyzer').operations['ListConfigurationRuleResults'] as OperationModel;
    const caller = { endpoint: sole.server.endpoint, region: 'us-east-1', credentials: sole.keys };
    const answer = await callOwn(caller, 'accessanalyzer', model, input);
    assert.deepEqual([answer.status, answer.code], [status, code], JSON.stringify(answer.body));
  });
}

test('Evidence: the AWS CLI reads the member with --query', async () => {
  const { stdout } = await belfry(
    ['compliance', 'check', '--endpoint', sole.server.endpoint, '--format', 'json'],
    environmentOf(sole, sole.keys),
  );
  const rules = parsed(stdout).accounts[0]?.rules ?? [];
  const commands = { 'iam:GetAccountSummary': ['iam', 'get-account-summary'], 'iam:ListUserPolicies': ['iam', 'list-user-policies'] };
  for (const [action, command] of Object.entries(commands)) {
    const evidence = rules.flatMap(({ results }) => results.flatMap((one) => one.evidence)).find((one) => one.action === action);
    assert.ok(evidence !== undefined, action);
    const input = Object.values(evidence.input).flatMap((value) => ['--user-name', value]);
    const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', AWS_DEFAULT_REGION: 'us-east-1' };
    const ran = await promisify(execFile)('aws', [...command, ...input, '--query', evidence.member, '--output', 'text'], {
      env: { ...env, ...environmentOf(sole, sole.keys) },
    });
    assert.equal(ran.stdout.trim(), evidence.value);
  }
});

test('ListConfigurationRules: the trail records the call, and the evaluation changes nothing', async () => {
  const trails = await new CloudTrailClient(sole.client()).send(new DescribeTrailsCommand({}));
  assert.deepEqual(trails.trailList, []);
  const [record] = await sole.records('ListConfigurationRules');
  assert.equal(record?.['eventSource'], 'access-analyzer.amazonaws.com');
  assert.equal(record?.['readOnly'], true);
});
