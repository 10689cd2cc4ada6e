/**
 * Two servers on one PostgreSQL, and Kamailio as the unit `ops/belfry-sip.service` runs it: as its own user without privileges, with the first
 * server. The second server receives the changes, and reads what the calls have caused.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import * as sdk from '@aws-sdk/client-chime-sdk-voice';
import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { readSettings } from '#server/settings.ts';
import { kamailioArguments, SIP_FILES } from '#server/sip/kamailio-config.ts';
import { writeProxyFolder } from '#server/sip/proxy-folder.ts';
import { accountOn, startAccount } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import { startSecondServer, startTestServer } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import { testPostgres } from '../store/test-postgres.ts';
import { ANSWER, openParty, type SipMessage } from './party.ts';
import { sipSettings } from './proxy.ts';
import {
  CUSTOMER,
  callWithinLimit,
  createTrunk,
  enableSipLogs,
  hangUp,
  hostOf,
  keepRecords,
  number,
  orderNumbers,
  route,
  setTermination,
} from './trunks.ts';

const UNIT = 'ops/belfry-sip.service';
const UNIT_FOLDER = '/var/lib/belfry-sip';
/** User of the proxy in this test, if root runs it: `nobody` on Debian. */
const PROXY_USER = 65_534;
const PASSWORD = 'a long secret';
const run = promisify(execFile);

test('belfry-sip.service: systemd accepts the unit, which runs the command that the server documents', async () => {
  const { stderr } = await run('systemd-analyze', ['verify', UNIT]);
  assert.equal(stderr, '');
  // Fails if the exposure level is above 1.5 of 10.
  await run('systemd-analyze', ['security', '--offline=true', '--threshold=15', UNIT]);
  const command = `/usr/sbin/kamailio ${kamailioArguments(UNIT_FOLDER).join(' ')}`;
  assert.ok(readFileSync(UNIT, 'utf8').includes(`\nExecStart=${command}\n`), command);
});

const postgres = await testPostgres();
const contents = await startAccount();
const contentsClient = new S3Client({ ...contents.client(), endpoint: contents.server.endpoint, forcePathStyle: true });
await contentsClient.send(new CreateBucketCommand({ Bucket: 'contents' }));
const keyFile = join(newFolder('sip-key'), 'key');
const { accessKeyId, secretAccessKey } = contents.keys;
writeFileSync(keyFile, `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`, { mode: 0o600 });
const shared = {
  BELFRY_DATABASE: postgres.url,
  BELFRY_OBJECTS_ENDPOINT: contents.server.endpoint,
  BELFRY_OBJECTS_BUCKET: 'contents',
  BELFRY_OBJECTS_KEY_FILE: keyFile,
  BELFRY_PRIVATE_SIP_PEERS: '127.0.10.0/24',
};
const sip = await sipSettings('unit', { ...shared, BELFRY_SIP_TLS: 'off' });
const first = await startTestServer(sip.environment);
const second = await startSecondServer(first, shared);
after(() => postgres.stop());
const account = { ...accountOn(second), accountId: first.accountId, voice: accountOn(second).voice() };
const { voice } = account;
const proxy = await startUnprivileged();

/** Starts Kamailio with the command of the unit, as another user without capabilities. Only root can change the user. */
async function startUnprivileged(): Promise<{ readonly pid: number; stop(): Promise<void> }> {
  const folder = newFolder('sip-unit');
  if (process.geteuid?.() === 0) chownSync(folder, PROXY_USER, PROXY_USER);
  await writeProxyFolder(readSettings([], { BELFRY_DATA: first.dataFolder, ...sip.environment }), folder);
  const asRoot = [`--reuid=${PROXY_USER}`, `--regid=${PROXY_USER}`, '--clear-groups', '--bounding-set=-all', '--inh-caps=-all'];
  const privileges = [...(process.geteuid?.() === 0 ? asRoot : []), '--no-new-privs'];
  const child = spawn('setpriv', [...privileges, 'kamailio', ...kamailioArguments(folder)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  let written = '';
  child.stderr.on('data', (data) => (written += data));
  const pid = child.pid as number;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-pid, 'SIGKILL');
  };
  process.once('exit', kill);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    process.off('exit', kill);
  };
  after(stop);
  await until(
    () => existsSync(join(folder, SIP_FILES.run, 'ctl')),
    () => `Kamailio does not start: ${written}`,
  );
  return { pid, stop };
}

await orderNumbers(voice, second.dataFolder);
const far = await openParty('udp', '127.0.10.3', sip.plain, { answer: ANSWER });
const customer = await openParty('udp', CUSTOMER, sip.plain);
const trunk = await createTrunk(voice, { name: 'trunk', numbers: [number(0)] });
await createTrunk(voice, { name: 'office', numbers: [number(1)], routes: [route(far)] });
const uri = `sip:${number(1)}@${hostOf(trunk)}`;
const s3 = new S3Client({ ...second.client(), endpoint: second.endpoint, forcePathStyle: true });
const readRecords = await keepRecords({ ...account, s3 }, trunk);

/** Call-IDs of the answered calls. */
const answeredCalls: string[] = [];

/** Calls the office, and ends the call. Returns the final response. */
async function callOffice(): Promise<SipMessage> {
  const { call, final } = await callWithinLimit(customer, () => customer.call(uri, { from: number(0) }));
  if (final.code !== 200) {
    call.ackError(final);
    return final;
  }
  call.ack(final);
  await hangUp(customer, call, final);
  answeredCalls.push(call.callId);
  return final;
}

test('Unit: all processes of Kamailio run as the other user, without capabilities', () => {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const group = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[2];
        return Number(group) === proxy.pid ? [readFileSync(`/proc/${name}/status`, 'utf8')] : [];
      } catch {
        return [];
      }
    });
  assert.ok(processes.length > 10, `${processes.length} processes`);
  for (const status of processes) {
    assert.match(status, /^CapEff:\s+0+$/m);
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    if (process.geteuid?.() === 0) assert.match(status, new RegExp(`^Uid:(\\s+${PROXY_USER}){4}$`, 'm'));
  }
});

test('LOG-27, LOG-28: Kamailio mirrors all messages of a call, and the log group has no credentials', async () => {
  const Credentials = [{ Username: 'ada', Password: PASSWORD }];
  await voice.send(new sdk.PutVoiceConnectorTerminationCredentialsCommand({ VoiceConnectorId: trunk, Credentials }));
  const readLogs = await enableSipLogs(account, trunk);
  const call = customer.call(uri, { from: number(0) });
  const challenge = await customer.final(call);
  call.ackError(challenge);
  call.authorize(challenge, 'ada', PASSWORD);
  const final = await customer.final(call);
  assert.equal(final.code, 200);
  call.ack(final);
  await hangUp(customer, call, final);
  answeredCalls.push(call.callId);
  let logged: Awaited<ReturnType<typeof readLogs>> = [];
  const firstLines = () => logged.map(({ sip_message }) => sip_message.split('\r\n')[0] ?? '');
  const has = (line: RegExp) => firstLines().some((each) => line.test(each));
  await until(
    async () => {
      logged = await readLogs();
      return [/^INVITE /, /^SIP\/2\.0 100 /, /^SIP\/2\.0 200 /, /^ACK /, /^BYE /].every(has);
    },
    () => `the log group has only ${firstLines().join(', ')}`,
  );
  assert.ok(has(new RegExp(`^INVITE sip:\\${number(1)}@127\\.0\\.10\\.3:`)), 'the relayed INVITE is logged');
  const hidden = logged.filter(({ sip_message }) => /^Proxy-Authorization: Digest HIDDEN_DUE_TO_SECURITY_REASONS\r$/m.test(sip_message));
  assert.ok(hidden.length > 0, 'the INVITE with credentials is logged');
  assert.ok(!logged.some(({ sip_message }) => /response="|username="ada"/.test(sip_message)), 'the log has credentials');
  for (const { voice_connector_id, aws_region, sip_message } of logged) {
    assert.deepEqual([voice_connector_id, aws_region], [trunk, 'us-east-1']);
    assert.match(sip_message, new RegExp(`^Call-ID: ${call.callId}\\r$`, 'm'));
  }
  await voice.send(new sdk.DeleteVoiceConnectorTerminationCredentialsCommand({ VoiceConnectorId: trunk, Usernames: ['ada'] }));
  const records = await readRecords(s3, call.callId);
  const { SipAuthUser, TransactionId } = records.find(({ CallId }) => CallId === call.callId) ?? {};
  assert.deepEqual([SipAuthUser, logged.at(-1)?.call_id], ['ada', TransactionId]);
});

test('Two servers: a change at one applies to the next INVITE at the other, and a deleted connector is 404', async () => {
  assert.equal((await callOffice()).code, 200);
  for (const [change, code] of [
    [{ CidrAllowedList: ['127.0.10.32/27'] }, 403],
    [{ CallingRegions: ['GB'] }, 403],
    [{ Disabled: true }, 403],
    [{}, 200],
  ] as const) {
    await setTermination(voice, trunk, change as Partial<sdk.Termination>);
    assert.equal((await callOffice()).code, code, JSON.stringify(change));
  }
  const numbers = { VoiceConnectorId: trunk, E164PhoneNumbers: [number(0)] };
  await voice.send(new sdk.DisassociatePhoneNumbersFromVoiceConnectorCommand(numbers));
  await voice.send(new sdk.DeleteVoiceConnectorCommand({ VoiceConnectorId: trunk }));
  assert.equal((await callOffice()).code, 404);
});

test('LOG-25: the other server returns the counts of calls after the first one has stopped', async () => {
  // The proxy reports the ends of calls each second, also those of a deleted Voice Connector.
  await readRecords(s3, ...answeredCalls);
  // A server stores its counts every half minute, and when it stops.
  await proxy.stop();
  await first.stop();
  const names = ['OutboundCallAttempts', 'OutboundCallsAnswered', 'OutboundCallFailures', 'Sip2xxCodes', 'Sip4xxCodes'];
  const Dimensions = [
    { Name: 'Region', Value: 'us-east-1' },
    { Name: 'VoiceConnectorId', Value: trunk },
  ];
  const { MetricDataResults = [] } = await new CloudWatchClient(second.client()).send(
    new GetMetricDataCommand({
      MetricDataQueries: names.map((MetricName) => ({
        Id: MetricName.charAt(0).toLowerCase() + MetricName.slice(1),
        MetricStat: { Metric: { Namespace: 'AWS/ChimeVoiceConnector', MetricName, Dimensions }, Period: 60, Stat: 'Sum' },
      })),
      StartTime: new Date(Date.now() - 3_600_000),
      EndTime: new Date(Date.now() + 120_000),
    }),
  );
  const sums = MetricDataResults.map(({ Values = [] }) => Values.reduce((sum, value) => sum + value, 0));
  const [attempts = 0, answered = 0, failures = 0, ok, refused = 0] = sums;
  // The limit of one call per second refuses further calls with 503, so only the answered calls have a fixed number.
  assert.deepEqual([answered, ok, attempts], [answeredCalls.length, answeredCalls.length, answered + failures]);
  // The country that is not allowed. Sources that are not allowed are not counted.
  assert.equal(refused, 1);
});
