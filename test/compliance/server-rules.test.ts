/**
 * Rules about the settings of the server. No call changes a setting, so the tests start the server again on the same data with other settings,
 * and read the results by ListConfigurationRuleResults before and after. The operator changes the days of the event history by a command.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from 'node:tls';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { SERVER_RULES } from '#server/core/server-rules.ts';
import { callOwn } from '../../src/cli/own-call.ts';
import { otherAccount } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import type { Keys } from '../kit/keys.ts';
import { belfry } from '../kit/process.ts';
import { startTestServer, type TestServer } from '../kit/server.ts';

type Result = AccessanalyzerApi['ListConfigurationRuleResults']['output']['results'][number];

const RETENTION = 'event-history-retention-check';
const SECRET_HOST = 'dc.canary.example';
const dataFolder = newFolder('server-rules');

/** Returns the results of a rule for the account of a caller. */
async function resultsOf(server: TestServer, ruleName: string, credentials: Keys = server.credentials): Promise<readonly Result[]> {
  const operation = loadModel('accessanalyzer').operations['ListConfigurationRuleResults'] as OperationModel;
  const caller = { endpoint: server.endpoint, region: 'us-east-1', credentials };
  const { status, body } = await callOwn(caller, 'accessanalyzer', operation, { ruleName });
  assert.equal(status, 200, JSON.stringify(body));
  return (body as unknown as AccessanalyzerApi['ListConfigurationRuleResults']['output']).results;
}

/** Starts the server with settings, reads one result of each rule, and stops the server. */
async function annotationsWith(settings: Readonly<Record<string, string>>): Promise<Readonly<Record<string, string>>> {
  const server = await startTestServer(settings, dataFolder);
  const found: Record<string, string> = {};
  for (const name of [...SERVER_RULES.map((rule) => rule.name), RETENTION]) {
    const [result, ...others] = await resultsOf(server, name);
    assert.deepEqual([result?.resourceType, result?.evidence, others], ['AWS::::Account', [], []], name);
    found[name] = `${result?.compliance}: ${result?.annotation}`;
  }
  await server.stop();
  return found;
}

// biome-ignore format: a table
const SETTINGS: readonly (readonly [rule: string, settings: Readonly<Record<string, string>>, violated: RegExp])[] = [
  ['server-records-every-read', { BELFRY_READS_WITHOUT_TRAIL: 'on' },                 /^NON_COMPLIANT: BELFRY_READS_WITHOUT_TRAIL is on: /],
  [RETENTION,                   { BELFRY_EVENT_HISTORY_DAYS: '89' },                  /^NON_COMPLIANT: .*89 days/],
  ['server-no-internal-hosts',  { BELFRY_INTERNAL_ISSUERS: SECRET_HOST },             /^NON_COMPLIANT: The settings allow connections to 1 internal host\.$/],
  ['server-no-internal-hosts',  { BELFRY_INTERNAL_DIRECTORIES: SECRET_HOST },         /^NON_COMPLIANT: .* 1 internal host\.$/],
  ['server-no-internal-hosts',  { BELFRY_OUTGOING_INTERNAL_HOSTS: `${SECRET_HOST},localhost` }, /^NON_COMPLIANT: .* 2 internal hosts\.$/],
  ['server-no-internal-hosts',  { BELFRY_PRIVATE_SIP_PEERS: '10.0.0.5' },             /^NON_COMPLIANT: .* 1 internal host\.$/],
];

for (const [rule, settings, violated] of SETTINGS) {
  test(`${rule}: a start with ${Object.keys(settings)} breaks it, and a start without it complies again`, async () => {
    const before = await annotationsWith({});
    const broken = await annotationsWith(settings);
    assert.deepEqual(
      Object.values(before).filter((each) => !each.startsWith('COMPLIANT: ')),
      [],
    );
    assert.match(broken[rule] ?? '', violated);
    assert.deepEqual({ ...broken, [rule]: before[rule] }, before, 'no other rule depends on the setting');
    assert.ok(!JSON.stringify(broken).includes(SECRET_HOST));
    assert.deepEqual(await annotationsWith({}), before);
  });
}

test('server-no-internal-hosts: callers of other accounts read the number of hosts, and not their names', async () => {
  const server = await startTestServer({ BELFRY_INTERNAL_DIRECTORIES: SECRET_HOST }, dataFolder);
  const other = await otherAccount(server, 'other');
  const [result] = await resultsOf(server, 'server-no-internal-hosts', other.keys);
  assert.deepEqual([result?.resourceId, result?.compliance], [other.accountId, 'NON_COMPLIANT']);
  assert.equal(result?.annotation, 'The settings allow connections to 1 internal host.');
  await server.stop();
});

test(`${RETENTION}: a command of the operator breaks it for one account, and complies again`, async () => {
  const server = await startTestServer({}, dataFolder);
  const other = await otherAccount(server, 'retention');
  const complianceOf = async (credentials?: Keys) => (await resultsOf(server, RETENTION, credentials))[0]?.compliance;
  const set = async (days: string) => {
    const args = ['trail', 'set-retention', '--account-id', other.accountId, '--days', days, '--data', dataFolder];
    const { status, stderr } = await belfry(args);
    assert.equal(status, 0, stderr);
  };
  for (const [days, compliance] of [
    ['89', 'NON_COMPLIANT'],
    ['90', 'COMPLIANT'],
    ['30', 'NON_COMPLIANT'],
    ['default', 'COMPLIANT'],
  ] as const) {
    await set(days);
    assert.deepEqual([await complianceOf(other.keys), await complianceOf()], [compliance, 'COMPLIANT'], days);
  }
  await server.stop();
});

test('server-tls-version-check: complies by the code of the server, which accepts TLS 1.2 and 1.3 and no older version', async () => {
  const server = await startTestServer({}, dataFolder);
  const { hostname, port } = new URL(server.httpsEndpoint);
  const connects = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
    new Promise<string>((resolve) => {
      // OpenSSL's security level 0 lets the client offer TLS 1.1.
      const options = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0', rejectUnauthorized: false };
      const socket = connect({ host: hostname, port: Number(port), ...options });
      socket.once('secureConnect', () => {
        resolve(String(socket.getProtocol()));
        socket.destroy();
      });
      socket.once('error', () => resolve('refused'));
    });
  assert.deepEqual([await connects('TLSv1.1'), await connects('TLSv1.2'), await connects('TLSv1.3')], ['refused', 'TLSv1.2', 'TLSv1.3']);
  const [result] = await resultsOf(server, 'server-tls-version-check');
  assert.deepEqual(
    [result?.compliance, result?.annotation],
    ['COMPLIANT', 'The oldest version of TLS that the server accepts is TLSv1.2.'],
  );
  await server.stop();
});
