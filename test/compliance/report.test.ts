/** `belfry compliance report` on the databases of real servers, on both engines, with known facts. Requirements COMP-1 to COMP-9, SR-1. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { AccessAnalyzerClient, CreateAnalyzerCommand, DeleteAnalyzerCommand } from '@aws-sdk/client-accessanalyzer';
import { GetGroupPolicyCommand } from '@aws-sdk/client-iam';
import pg from 'pg';
import { PRINCIPAL } from '#compliance/report/access.ts';
import { ACTIVITY_GROUP, type ActivityGroup } from '#compliance/report/activity.ts';
import { CREDENTIALS_OF } from '#compliance/report/credentials.ts';
import { FINDING } from '#compliance/report/findings.ts';
import { POLICY_STATEMENTS, type PolicyStatements } from '#compliance/report/policy-statements.ts';
import { REPORT } from '#compliance/report/report.ts';
import { CHIME_RETENTION_OF } from '#compliance/report/retention.ts';
import { RULE_RESULT } from '#compliance/report/rules.ts';
import type { Of, Shape } from '#compliance/shape.ts';
import { newFolder } from '../kit/folder.ts';
import { belfry } from '../kit/process.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { problemsOfShape } from './check-shape.ts';
import { MARKUP, OPEN_POLICY, STRANGER, startScenario, written } from './scenario.ts';

type Access = Of<typeof PRINCIPAL>;

const postgres = await testPostgres();
after(() => postgres.stop());

interface Engine {
  readonly name: 'SQLite' | 'PostgreSQL';
  /** Settings of the server, and flags of the command. */
  readonly environment: Readonly<Record<string, string>>;
  readonly flags: readonly string[];
  /** Changes records in the database by statements that each change a row. The server has stopped. */
  readonly alter: (folder: string, statements: readonly string[]) => Promise<void>;
}

const ALTER = "UPDATE trail_pack SET documents = replace(documents, 'GetUser', 'GetXser') WHERE documents LIKE '%GetUser%'";
/** Replaces the columns of some packs with text that is not in the format of the server. */
const DESTROY = [
  "UPDATE trail_pack SET documents = 'null' WHERE documents LIKE '%ListUsers%'",
  "UPDATE trail_pack SET heads = 'null' WHERE documents LIKE '%AddUserToGroup%'",
  "UPDATE trail_pack SET heads = substr(heads, 1, 20) WHERE documents LIKE '%CreateGroup%'",
  "UPDATE trail_pack SET contexts = '[2,[],[[1]]]' WHERE documents LIKE '%AttachUserPolicy%'",
];

const ENGINES: readonly Engine[] = [
  {
    name: 'SQLite',
    environment: {},
    flags: [],
    async alter(folder, statements) {
      const db = new DatabaseSync(join(folder, 'belfry.db'));
      for (const each of statements) assert.ok(Number(db.prepare(each).run().changes) > 0, each);
      db.close();
    },
  },
  {
    name: 'PostgreSQL',
    environment: { BELFRY_DATABASE: postgres.url },
    flags: ['--database', postgres.url],
    async alter(_, statements) {
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      for (const each of statements) assert.ok(Number((await client.query(each)).rowCount) > 0, each);
      await client.end();
    },
  },
];

const prepared = await Promise.all(
  ENGINES.map(async (engine) => {
    const scenario = await startScenario(engine.environment);
    const args = ['--data', scenario.account.server.dataFolder, ...engine.flags];
    // Between the first records of a log and its first checkpoint, a verification finds a log without one.
    const isSigned = async () => /^ {2}signed /m.test((await belfry(['trail', 'status', ...args])).stdout);
    await until(isSigned, () => 'the log has no signed checkpoint');
    return { engine, scenario, args, report: await written(args) };
  }),
);
type Prepared = (typeof prepared)[number];
for (const each of prepared) describe(`compliance report on ${each.engine.name}`, () => reportTests(each));

function reportTests(prepared: Prepared): void {
  accountTests(prepared);
  serverTests(prepared);
  policyTests(prepared);
  fileTests(prepared);
  flagTests(prepared);
}

function accountTests({ scenario, report }: Prepared): void {
  const accessOf = (arn: string): Access => report.lines<Access>('access.jsonl').find((each) => each.arn === arn) ?? assert.fail(arn);
  const actionsOf = (arn: string, service: string) => accessOf(arn).services.find((each) => each.service === service);

  test('exit status: 0 while the trail is intact, also while the server runs', () => {
    assert.equal(report.status, 0, report.stderr);
    assert.ok(report.report.trail.intact);
    assert.deepEqual(report.report.trail.problems, []);
    assert.ok(report.report.trail.records > 20);
    assert.match(report.stdout, /^note: no witness was asked, so a rollback or a rewritten history can be invisible; use --witness$/m);
    assert.match(report.stdout, /the trail is intact\n$/);
    assert.match(report.stdout, / requests, \d+ rules not compliant, counted for each of 2 accounts$/m);
  });

  test('access: the actions of a user are those that identity policies and the boundary allow, and that nothing denies', () => {
    const { userArn } = scenario.account;
    const chime = actionsOf(userArn('ada'), 'chime');
    assert.ok(chime?.names?.includes('ListMeetings') && !chime.names.includes('GetMeeting') && !chime.names.includes('CreateMeeting'));
    assert.deepEqual(actionsOf(userArn('ada'), 'iam')?.names, ['GetUser']);
    assert.deepEqual(actionsOf(userArn('ada'), 'sts'), undefined);
    assert.deepEqual(actionsOf(userArn('ada'), 'iam')?.by, ['user/ada:p#0']);
    assert.deepEqual(accessOf(userArn('ada')).boundary, [`arn:aws:iam::${scenario.account.accountId}:policy/edge`]);
    assert.deepEqual(accessOf(userArn('bob')).services, [
      { service: 'iam', actions: 1, of: actionsOf(userArn('bob'), 'iam')?.of, by: ['group/readers:g#0'], names: ['ListUsers'] },
    ]);
    assert.deepEqual(accessOf(userArn('bob')).policies, [{ policy: 'group/readers:g', groups: ['readers'] }]);
  });

  test('access: the principals of a role, an administrator and the root user of a member', () => {
    const { account, memberId } = scenario;
    assert.deepEqual(accessOf(account.roleArn('worker')).trusts, [account.userArn('ada')]);
    assert.equal(actionsOf(account.roleArn('worker'), 'chime')?.names, undefined);
    assert.equal(actionsOf(account.userArn('admin'), 'iam')?.names, undefined);
    const member = actionsOf(`arn:aws:iam::${memberId}:root`, 'iam');
    assert.equal(member?.actions, Number(member?.of) - 1);
    assert.ok(!member?.names?.includes('DeleteUser'));
    assert.equal(report.report.access.users, 3);
    // The role of the scenario, the role in the member account and the service-linked role of Organizations.
    assert.equal(report.report.access.roles, report.lines<Access>('access.jsonl').filter(({ type }) => type === 'Role').length);
    assert.equal(report.report.access.administrators, 1);
  });

  test('access: the report has boundaries and service control policies, and lists the actions that are not allowed if they are few', () => {
    const { items } = report.report.access.principals;
    const briefOf = (arn: string) => items.find((each) => each.arn === arn) ?? assert.fail(arn);
    const root = briefOf(`arn:aws:iam::${scenario.memberId}:root`);
    assert.deepEqual(root.services.find(({ service }) => service === 'iam')?.except, ['DeleteUser']);
    assert.equal(root.services.find(({ service }) => service === 'sts')?.except, undefined);
    assert.deepEqual(root.serviceControl, accessOf(root.arn).serviceControl);
    const ada = briefOf(scenario.account.userArn('ada'));
    assert.deepEqual(ada.boundary, [`arn:aws:iam::${scenario.account.accountId}:policy/edge`]);
    assert.equal(ada.services.find(({ service }) => service === 'iam')?.except, undefined);
    assert.ok(report.page.includes(`permissions boundary: ${ada.boundary?.[0]}`));
    assert.match(report.page, /service control policies: p-FullAWSAccess, p-[a-z0-9]{10}/);
    assert.match(report.page, /<b>iam<\/b>: (\d+) of \d+ actions \(all except DeleteUser\)/);
  });

  test('access: the file of policies has each statement with its source', () => {
    const policies = report.lines<PolicyStatements>('policies.jsonl');
    const own = policies.find(({ policy, policyType }) => policy === 'user/ada:p' && policyType === 'identity');
    assert.deepEqual(own?.statements[1], {
      ...{ statement: 1, sid: 'Never', effect: 'Deny', actions: ['chime:GetMeeting'], resources: ['*'], conditions: [] },
    });
    assert.equal(new Set(policies.map((each) => JSON.stringify(each))).size, policies.length);
    assert.ok(policies.some(({ policyType }) => policyType === 'service-control'));
    assert.ok(policies.some(({ policyType, policy }) => policyType === 'trust' && policy === 'role/worker'));
  });

  test('activity: requests, errors and denials of each principal and action', () => {
    const groups = report.lines<ActivityGroup>('activity.jsonl');
    const countsOf = (user: string, action: string) => {
      const found = groups.find((each) => each.principal === scenario.account.userArn(user) && each.action === action);
      return found && [found.requests, found.errors, found.denied];
    };
    assert.deepEqual(
      [countsOf('bob', 'ListUsers'), countsOf('bob', 'GetUser'), countsOf('ada', 'GetUser')],
      [
        [3, 0, 0],
        [2, 2, 2],
        [1, 1, 0],
      ],
    );
    const sum = groups.reduce((total, { requests }) => total + requests, 0);
    assert.deepEqual([report.report.activity.requests, report.report.activity.unreadable], [sum, 0]);
    assert.deepEqual(
      report.report.activity.denials.items.map(({ principal, action, denied }) => [principal, action, denied]),
      [[scenario.account.userArn('bob'), 'GetUser', 2]],
    );
  });

  test('credentials: passwords, MFA and keys with their last uses', () => {
    const { credentials } = report.report;
    assert.deepEqual([credentials.withPassword, credentials.withPasswordWithoutMfa, credentials.activeKeysOlderThan90Days], [2, 1, 0]);
    const bob = report.lines<Of<typeof CREDENTIALS_OF>>('credentials.jsonl').find(({ arn }) => arn === scenario.account.userArn('bob'));
    assert.deepEqual([bob?.password?.ageDays, bob?.mfaActive, bob?.accessKeys.length], [0, false, 1]);
    assert.equal(bob?.accessKeys[0]?.lastUsedService, 'iam');
  });
}

function serverTests({ engine: { name }, scenario, report }: Prepared): void {
  test('trail: the log has its key, size and checkpoints, whose signatures were verified', () => {
    const [log] = report.report.trail.logs;
    assert.ok(log);
    assert.ok(log.vkey.startsWith(`${log.origin}+`));
    assert.ok(log.size > 0);
    for (const { logSignature, signers } of log.checkpoints) assert.deepEqual([logSignature, signers], ['valid', [log.origin]]);
  });

  test('TLS, software and retention: the certificate of the data folder, the packages and the settings', () => {
    const { tls, software, retention } = report.report;
    assert.deepEqual(
      [tls.minVersion, tls.source, tls.certificates[0]?.subject, tls.certificates[0]?.expired],
      ['TLSv1.2', 'local-ca', 'CN=Belfry', false],
    );
    assert.deepEqual([software.databaseEngine, software.schemaVersion], [name, software.schemaVersionOfProgram]);
    assert.deepEqual([retention.eventHistoryDays, retention.eventHistoryFrom], [90, 'The running server stated it.']);
    assert.deepEqual(
      retention.chimeAccounts.items.map((each) => [each.name, each.type]),
      [[MARKUP, 'Team']],
    );
  });

  test('responsibility and limits: each section has controls, and nothing is claimed to be certified', () => {
    assert.deepEqual(
      report.report.responsibility.map(({ section, controls }) => [section, controls.length > 0]),
      Array.from({ length: 13 }, (_, i) => [i + 2, true]),
    );
    assert.ok(report.report.notAssessed.length > 5);
    assert.match(report.report.statement, /is not a certification/);
  });

  test('findings: a role that trusts another account is active, and an analyzer of unused access covers no account', () => {
    const { findings } = report.report;
    const [finding, ...others] = report.lines<Of<typeof FINDING>>('findings.jsonl');
    assert.ok(finding);
    assert.ok(finding.principal?.['AWS']?.includes(STRANGER));
    assert.deepEqual(
      [finding.resource, finding.status, finding.actions, others],
      [scenario.account.roleArn('partner'), 'ACTIVE', ['sts:AssumeRole'], []],
    );
    assert.deepEqual(findings.accountsWithoutAnalyzer, { total: 1, accountIds: [scenario.memberId], more: 0 });
    assert.ok(report.page.includes(`Accounts that no analyzer of external access covers: ${scenario.memberId}. External`));
    assert.deepEqual([findings.active, findings.archived, findings.findings.more], [1, 0, 0]);
    assert.deepEqual(
      findings.analyzers.map(({ type, active, archived }) => [type, active, archived] as const).sort(([a], [b]) => a.localeCompare(b)),
      [
        ['ACCOUNT', 1, 0],
        ['ORGANIZATION_UNUSED_ACCESS', 0, 0],
      ],
    );
  });

  test('rules: each account has the results of all rules', () => {
    const { rules } = report.report;
    assert.deepEqual(
      [...new Set(rules.rules.map(({ accountId }) => accountId))].sort(),
      [scenario.account.accountId, scenario.memberId].sort(),
    );
    assert.equal(rules.compliant + rules.nonCompliant + rules.notApplicable, rules.rules.length);
    assert.equal(rules.rules.find(({ rule }) => rule === 'server-tls-version-check')?.compliance, 'COMPLIANT');
  });
}

function policyTests({ scenario, report }: Prepared): void {
  const pointer = { action: 'iam:GetGroupPolicy', input: { GroupName: 'open', PolicyName: 'everything' }, member: 'PolicyDocument' };
  const document = JSON.parse(OPEN_POLICY) as object;

  test('rules: the evidence of a policy has the policy as JSON, next to the call that returns it', async () => {
    const results = report.lines<Of<typeof RULE_RESULT>>('rules.jsonl');
    const [shown] = results.flatMap(({ evidence }) =>
      evidence.filter(({ input }) => input['GroupName'] === 'open' && 'PolicyName' in input),
    );
    const { PolicyDocument } = await scenario.account.admin.send(new GetGroupPolicyCommand(pointer.input));
    assert.deepEqual(shown, { ...pointer, value: `sha256:${hash('sha256', PolicyDocument ?? '', 'hex')}`, document });
    const trusts = results.flatMap(({ evidence }) => evidence.filter(({ member }) => member === 'Role.AssumeRolePolicyDocument'));
    assert.ok(trusts.length > 0 && trusts.every((each) => each.document?.['Statement'] !== undefined));
  });

  test('rules: the report and the page show the policies of resources that are not compliant', () => {
    const { policies } = report.report.rules;
    const found = policies.items.find(({ input }) => input['GroupName'] === 'open');
    const { accountId } = scenario.account;
    assert.deepEqual(
      { ...found, resourceId: '' },
      {
        ...{ accountId, rule: 'iam-inline-policy-no-statements-with-admin-access', resourceType: 'AWS::IAM::Group', resourceId: '' },
        ...{ ...pointer, document },
      },
    );
    assert.deepEqual([policies.total, policies.more, policies.file], [policies.items.length, 0, 'rules.jsonl']);
    assert.ok(report.page.includes('iam:GetGroupPolicy (GroupName open, PolicyName everything)'));
    assert.ok(report.page.includes('&#34;Action&#34;: &#34;*&#34;') && !report.page.includes('%22Action'));
    assert.match(report.page, /&#34;Effect&#34;: &#34;Deny&#34;,\n.*\n.*&#34;arn:aws:s3:::b\/&#60;img /);
  });
}

function fileTests({ scenario, args, report }: Prepared): void {
  // biome-ignore format: a table
  const SHAPES: readonly (readonly [file: string, shape: Shape<unknown>])[] = [
    ['report.json',           REPORT],
    ['access.jsonl',          PRINCIPAL],
    ['policies.jsonl',        POLICY_STATEMENTS],
    ['activity.jsonl',        ACTIVITY_GROUP],
    ['credentials.jsonl',     CREDENTIALS_OF],
    ['findings.jsonl',        FINDING],
    ['rules.jsonl',           RULE_RESULT],
    ['chime-retention.jsonl', CHIME_RETENTION_OF],
  ];
  for (const [file, { schema }] of SHAPES) {
    test(`${file}: has the declared shape`, () => {
      const documents = file === 'report.json' ? [report.report] : report.lines(file);
      assert.ok(documents.length > 0);
      for (const document of documents) assert.deepEqual(problemsOfShape(schema, document), []);
    });
  }

  test('files: the report has its schema, and the manifest has the hash of each other file', () => {
    assert.deepEqual(JSON.parse(report.files.get('report.schema.json') ?? '').properties, REPORT.schema['properties']);
    const manifest = report.files.get('manifest.json') ?? '';
    const { files } = JSON.parse(manifest) as {
      readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
    };
    assert.deepEqual(
      files.map(({ name }) => name),
      [...report.files.keys()].filter((each) => each !== 'manifest.json').sort(),
    );
    for (const { name, bytes, sha256 } of files) {
      const content = Buffer.from(report.files.get(name) ?? '');
      assert.deepEqual([content.length, hash('sha256', content, 'hex')], [bytes, sha256], name);
    }
    assert.ok(report.stdout.includes(hash('sha256', manifest, 'hex')));
  });

  test('files: only the owner can read the folder and its files, and an existing folder is not changed', async () => {
    assert.equal(statSync(report.folder).mode & 0o777, 0o700);
    for (const file of report.files.keys()) assert.equal(statSync(join(report.folder, file)).mode & 0o777, 0o600, file);
    const existing = newFolder('existing');
    const { status, stderr } = await belfry(['compliance', 'report', '--out', existing, ...args]);
    assert.equal(status, 1);
    assert.match(stderr, /exists; a report is written to a new folder/);
    assert.ok(!existsSync(join(existing, 'report.json')));
  });

  test('secrets: no file contains a secret key, a password, a hash of one, or the operator key', () => {
    for (const [file, content] of report.files) {
      for (const secret of scenario.secrets) assert.ok(!content.includes(secret), file);
      assert.ok(!/sealedSecret|sealedKey|passwordHash|scrypt|PRIVATE KEY|postgres:\/\//.test(content), file);
    }
  });

  test('page: names with markup are text, and the page has no script', () => {
    assert.ok(!report.page.includes('<img') && !report.page.includes('<script'));
    assert.ok(report.page.includes('&#60;img src=x onerror=alert(1)&#62;&#38;amp;&#34;&#39;'));
  });
}

function flagTests({ engine: { alter }, scenario, args, report }: Prepared): void {
  test('--account: only this account is in the files, but the whole trail is verified', async () => {
    const { report: own, files, stdout } = await written([...args, '--account', scenario.memberId]);
    assert.match(stdout, / rules not compliant$/m);
    assert.deepEqual(
      own.accounts.map(({ accountId }) => accountId),
      [scenario.memberId],
    );
    assert.deepEqual([own.findings.accountsWithoutAnalyzer.accountIds, own.findings.analyzers], [[scenario.memberId], []]);
    assert.ok(own.trail.records >= report.report.trail.records);
    for (const file of ['access.jsonl', 'credentials.jsonl', 'activity.jsonl', 'rules.jsonl'])
      assert.ok(!files.get(file)?.includes(`"accountId":"${scenario.account.accountId}"`), file);
  });

  test('--account: an unknown account is an error, and no folder remains', async () => {
    const out = join(newFolder('unknown'), 'report');
    const { status, stderr } = await belfry(['compliance', 'report', '--out', out, '--account', '999999999999', ...args]);
    assert.deepEqual([status, stderr, existsSync(out)], [1, "belfry compliance: account '999999999999' does not exist\n", false]);
  });

  test('--out: a folder whose parent does not exist is an error that names the parent', async () => {
    const parent = join(newFolder('parent'), 'none');
    const { status, stderr } = await belfry(['compliance', 'report', '--out', join(parent, 'report'), ...args]);
    assert.deepEqual([status, stderr], [1, `belfry compliance: the folder '${parent}' does not exist; create it first\n`]);
  });

  test('findings: an analyzer of external access of an organization covers its members', async () => {
    const analyzer = new AccessAnalyzerClient(scenario.account.server.at('accessanalyzer'));
    await analyzer.send(new CreateAnalyzerCommand({ analyzerName: 'external', type: 'ORGANIZATION' }));
    assert.equal((await written(args)).report.findings.accountsWithoutAnalyzer.total, 0);
    await analyzer.send(new DeleteAnalyzerCommand({ analyzerName: 'external' }));
  });

  test('--folder: a folder that cannot be verified is a problem, and the report is written', async () => {
    const { report: own, status, stderr, files } = await written([...args, '--folder', join(newFolder('missing'), 'none')]);
    assert.deepEqual([status, own.trail.intact, own.trail.deliveredFiles?.intact, files.has('manifest.json')], [1, true, false, true]);
    assert.match(own.trail.deliveredFiles?.problems[0] ?? '', /^the verification failed: ENOENT/);
    assert.match(stderr, /^belfry compliance: the verification failed: ENOENT/);
  });

  test('--folder: delivered files without a digest are a problem', async () => {
    const folder = newFolder('delivered');
    mkdirSync(join(folder, 'AWSLogs'));
    const { report: own, status, stdout, page } = await written([...args, '--folder', folder]);
    assert.deepEqual([status, own.trail.intact, own.trail.deliveredFiles?.intact], [1, true, false]);
    assert.match(own.trail.deliveredFiles?.problems.join() ?? '', /^the folder has no digests; it must be a copy of a whole bucket\./);
    assert.match(stdout, /^the delivered files are NOT intact\nthe trail is intact\n$/m);
    assert.ok(page.includes('The delivered files are not intact') && !page.includes('The trail is not intact'));
  });

  test('altered trail: the report names the record, and the exit status is 1', async () => {
    const { server } = scenario.account;
    await server.stop();
    await alter(server.dataFolder, [ALTER]);
    const { status, stderr, stdout, report: altered, page } = await written(args);
    assert.equal(status, 1);
    assert.match(stdout, /the trail is NOT intact\n$/);
    assert.match(stderr, /^belfry compliance: altered record: number \d+, writer /);
    assert.equal(altered.trail.intact, false);
    assert.match(altered.trail.problems[0] ?? '', /^altered record: number \d+/);
    assert.ok(page.includes('The trail is not intact'));
    assert.equal(altered.retention.eventHistoryFrom, altered.settingsFrom);
  });

  test('altered trail: records in another format are counted, and do not end the report', async () => {
    await alter(scenario.account.server.dataFolder, DESTROY);
    const { status, report: destroyed, files } = await written(args);
    assert.deepEqual([status, destroyed.trail.intact, files.has('manifest.json')], [1, false, true]);
    assert.ok(destroyed.activity.unreadable >= DESTROY.length, String(destroyed.activity.unreadable));
    assert.ok(destroyed.activity.requests > 0);
  });
}
