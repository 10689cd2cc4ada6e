/** Decisions about SIP calls on a running server, on SQLite and PostgreSQL: the SDK configures Voice Connectors, and the test asks as the SIP proxy does. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { buffer, text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import * as sdk from '@aws-sdk/client-chime-sdk-voice';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import pg from 'pg';
import { digestResponse } from '#services/chime-sdk-voice/sip/digest.ts';
import { startAccount } from '../kit/account.ts';
import { newFolder } from '../kit/folder.ts';
import { belfry } from '../kit/process.ts';
import { until } from '../kit/until.ts';
import { enableSipLogs } from '../sip/trunks.ts';
import { testPostgres } from '../store/test-postgres.ts';

const number = (last: number) => `+1206555010${last}`;
const SOURCE = '127.0.10.1';
const CIDR = '127.0.10.0/27';
const CARRIER = '127.0.20.1';
const BUCKET = 'call-records';
const PASSWORD = 'a long secret';

interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: members of a JSON response
  readonly json: any;
}

/** Starts a server, and creates what all steps need. */
async function open(engine: 'SQLite' | 'PostgreSQL') {
  const postgres = engine === 'PostgreSQL' ? await testPostgres() : undefined;
  if (postgres !== undefined) after(() => postgres.stop());
  const account = await startAccount({
    ...(postgres !== undefined && { BELFRY_DATABASE: postgres.url }),
    ...{ BELFRY_SIP_DECISIONS: '127.0.0.1:0', BELFRY_SIP_HEP: '127.0.0.1:0', BELFRY_PRIVATE_SIP_PEERS: '127.0.0.0/8' },
    BELFRY_SIP_CARRIERS: `${CARRIER}/32`,
  });
  const { server } = account;
  const folder = join(server.dataFolder, 'sip');
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  const agent = new Agent({ keepAlive: true, ca: read('ca.pem') });
  after(() => agent.destroy());
  const [host = '', port] = read('address').split(':');

  /** Sends a request to the private listener. */
  async function post(path: string, body: string | Buffer, token = read('token'), method = 'POST'): Promise<Reply> {
    const headers = { authorization: `Basic ${Buffer.from(`sip:${token}`).toString('base64')}` };
    const sent = request({ ...{ host, port, path, method, agent, headers }, timeout: 60_000 });
    const answered = new Promise<Reply>((resolve, reject) => {
      sent.on('error', reject);
      sent.on('response', (response) => {
        text(response).then((json) => resolve({ status: response.statusCode ?? 0, json: JSON.parse(json) }), reject);
      });
    });
    sent.end(body);
    return await answered;
  }

  const voice = account.voice();
  const file = join(newFolder('sip'), 'numbers.csv');
  const lines = [0, 1, 2, 3].map((last) => `${number(last)},US,Local,VoiceConnector,,206,WA,Seattle`);
  writeFileSync(file, ['number,country,type,products,capabilities,area_code,state,city', ...lines, ''].join('\n'));
  assert.equal((await belfry(['numbers', 'import', file, '--data', server.dataFolder])).status, 0);
  const E164PhoneNumbers = [0, 1, 2, 3].map(number);
  await voice.send(new sdk.CreatePhoneNumberOrderCommand({ ProductType: 'VoiceConnector', E164PhoneNumbers }));
  return { ...account, postgres, folder, post, voice, readFile: read };
}

type Opened = Awaited<ReturnType<typeof open>>;

async function createConnector({ voice }: Opened, Name: string, ...routes: readonly sdk.OriginationRoute[]): Promise<string> {
  const { VoiceConnector } = await voice.send(new sdk.CreateVoiceConnectorCommand({ Name, RequireEncryption: false }));
  const VoiceConnectorId = VoiceConnector?.VoiceConnectorId as string;
  if (routes.length > 0) {
    const Origination = { Routes: [...routes], Disabled: false };
    await voice.send(new sdk.PutVoiceConnectorOriginationCommand({ VoiceConnectorId, Origination }));
  }
  return VoiceConnectorId;
}

const route = (last: number, Priority = 1): sdk.OriginationRoute => ({
  ...{ Host: `127.0.30.${last}`, Port: 5080, Protocol: 'UDP', Priority, Weight: 1 },
});
const target = (to: string, last: number, vc: string) => `sip:${to}@127.0.30.${last}:5080|sip:127.0.30.${last}:5080;transport=udp|${vc}`;
const hostOf = (id: string) => `${id}.voiceconnector.chime.aws`;

let calls = 0;

/** Returns a decision about a request. `more` replaces members of the request. */
async function decision({ post }: Opened, id: string, to: string, more: object = {}) {
  const uri = `sip:${to}@${hostOf(id)}`;
  const base = { m: 'INVITE', i: 1, l: 2, src: SOURCE, port: 5060, proto: 'udp', ru: uri, tu: uri, ci: `call-${++calls}` };
  const { status, json } = await post('/sip/decide', JSON.stringify({ ...base, fu: `sip:${number(0)}@pbx.example.com`, ...more }));
  assert.equal(status, 200);
  return json;
}

/** Returns the decision once the connector's limit of one call per second allows another call. */
async function nextDecision(opened: Opened, id: string, to: string, more: object | (() => Promise<object>) = {}) {
  let found: Awaited<ReturnType<typeof decision>>;
  await until(
    async () => {
      found = await decision(opened, id, to, typeof more === 'function' ? await more() : more);
      if (found.r !== 'Service Unavailable') return true;
      await delay(100);
      return false;
    },
    () => 'the limit of calls is never free',
  );
  return found;
}

/** Returns the header with credentials for a new challenge. */
async function credentials(
  opened: Opened,
  id: string,
  to: string,
  password = PASSWORD,
  username = 'ada',
): Promise<{ readonly auth: string }> {
  const { c, h } = await decision(opened, id, to);
  assert.equal(c, 407);
  const [, realm = '', nonce = ''] = /^Proxy-Authenticate: Digest realm="([^"]+)", nonce="([^"]+)", .*\r\n$/.exec(h) ?? [];
  const fields = { username, realm, nonce, uri: `sip:${to}@${hostOf(id)}`, cnonce: 'c', nc: '00000001' };
  const response = digestResponse(fields, 'INVITE', password);
  const { nc, ...quoted } = fields;
  const members = Object.entries({ ...quoted, response }).map(([name, value]) => `${name}="${value}"`);
  return { auth: `Digest ${members.join(', ')}, nc=${nc}, qop=auth, algorithm=MD5` };
}

const opened = await Promise.all([open('SQLite'), open('PostgreSQL')]);

for (const here of opened) {
  const engine = here.postgres === undefined ? 'SQLite' : 'PostgreSQL';
  const { voice, post } = here;
  const reasonOf = async (...parameters: Parameters<typeof nextDecision> extends [unknown, ...infer Rest] ? Rest : never) => {
    const { a, c, r } = await nextDecision(here, ...parameters);
    return a === 'relay' ? 'relay' : `${c} ${r}`;
  };

  test(`SIP listener, ${engine}: serves two paths with the token, and refuses the rest`, async () => {
    for (const name of ['token', 'ca.pem', 'ca.key', 'address']) assert.equal(statSync(join(here.folder, name)).mode & 0o777, 0o600, name);
    assert.equal(statSync(here.folder).mode & 0o777, 0o700);
    const statuses = [
      await post('/sip/decide', '{}', 'x'.repeat(43)),
      await post('/sip/other', '{}'),
      await post('/sip/decide', '', undefined, 'GET'),
      await post('/sip/decide', 'x'.repeat(16_385)),
      await post('/sip/record', '{"tx":"1"}'),
      await post('/sip/record', JSON.stringify({ tx: crypto.randomUUID(), code: 200, ended: 1 })),
    ];
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [401, 404, 405, 413, 400, 200],
    );
    for (const hostile of ['', '[]', 'null', '7', '{"m":"INVITE"}', '{"m":{"toString":1}}', Buffer.from([0x22, 0xff, 0x22])]) {
      assert.deepEqual((await post('/sip/decide', hostile)).json, { a: 'reply', c: 400, r: 'Bad Request', o: 1 });
    }
  });

  test(`SIP calls, ${engine}: each setting of a Voice Connector applies to the next INVITE, and calls have records`, async () => {
    const trunk = await createConnector(here, 'trunk');
    const first = await createConnector(here, 'first', route(1), route(2, 2));
    const second = await createConnector(here, 'second', route(3));
    const Termination = { CallingRegions: ['US'], CidrAllowedList: [CIDR], CpsLimit: 1, Disabled: false };
    const terminate = (more: object) =>
      voice.send(new sdk.PutVoiceConnectorTerminationCommand({ VoiceConnectorId: trunk, Termination: { ...Termination, ...more } }));
    await terminate({});
    const groupId = await associateNumbers(here, trunk, first, second);
    const s3 = await recordsBucket(here);

    // RES-1: routes of the group in the order of the priorities, for a call of another connector and of a carrier.
    const relayed = await nextDecision(here, trunk, number(1), { ci: 'completed' });
    assert.deepEqual(relayed, {
      ...{ a: 'relay', tx: relayed.tx, fr: 1_500 },
      t: [target(number(1), 1, first), target(number(1), 2, first), target(number(1), 3, second)],
      h: `P-Asserted-Identity: <sip:${number(0)}@${hostOf(trunk)}>\r\n`,
    });
    const inbound = () =>
      decision(here, 'any', number(1), { src: CARRIER, ru: `sip:${number(1)}@198.51.100.1`, fu: 'sip:+12125550100@carrier' });
    const failedOver = await inbound();
    assert.deepEqual(failedOver.t, relayed.t);
    await voice.send(
      new sdk.PutVoiceConnectorOriginationCommand({ VoiceConnectorId: first, Origination: { Routes: [route(1)], Disabled: true } }),
    );
    assert.deepEqual((await inbound()).t, [target(number(1), 3, second)]);

    await changeGroup(here, groupId, first, second, inbound);

    // Answered call: its end is stored once.
    const ended = Date.now();
    const end = JSON.stringify({ tx: relayed.tx, code: 200, answered: ended - 4_000, ended });
    assert.equal((await post('/sip/record', end)).status, 200);
    assert.equal((await post('/sip/record', end.replace('200', '486'))).status, 200);

    await endInbound(here, failedOver.tx, (await inbound()).tx, first, second);

    // Settings of the termination.
    assert.equal(await reasonOf(trunk, number(3), { src: '127.0.10.40' }), '403 Forbidden');
    await terminate({ CidrAllowedList: ['127.0.10.32/27'] });
    assert.equal(await reasonOf(trunk, number(1)), '403 Forbidden');
    await terminate({});
    assert.equal(await reasonOf(trunk, number(1)), 'relay');
    assert.equal(await reasonOf(trunk, number(3)), '503 No carrier');
    const encrypt = (RequireEncryption: boolean) =>
      voice.send(new sdk.UpdateVoiceConnectorCommand({ VoiceConnectorId: trunk, Name: 'trunk', RequireEncryption }));
    await encrypt(true);
    assert.equal(await reasonOf(trunk, number(1)), '403 Forbidden');
    await encrypt(false);
    assert.equal(await reasonOf(trunk, '+442079460000'), '403 Forbidden');
    await terminate({ CallingRegions: ['GB'] });
    assert.equal(await reasonOf(trunk, number(1)), '403 Forbidden');
    await terminate({});
    const stranger = { fu: 'sip:%0d%0aX-Evil:1@pbx.example.com', ci: 'rejected' };
    assert.equal(await reasonOf(trunk, number(1), stranger), '403 Caller Id is not valid');
    assert.equal(await reasonOf(trunk, number(1), { fu: `sip:${number(1)}@pbx` }), `403 Caller Id ${number(1)} is not valid`);

    // Credentials. A password is in no answer.
    const credentialsOf = (Username: string) => ({ VoiceConnectorId: trunk, Credentials: [{ Username, Password: PASSWORD }] });
    await voice.send(new sdk.PutVoiceConnectorTerminationCredentialsCommand(credentialsOf('ada')));
    await voice.send(new sdk.PutVoiceConnectorTerminationCredentialsCommand(credentialsOf('bob')));
    let used: { readonly auth: string } | undefined;
    const login =
      (...more: readonly string[]) =>
      async () =>
        (used = await credentials(here, trunk, number(1), ...more));
    assert.equal(await reasonOf(trunk, number(1), login()), 'relay');
    const replayed = await decision(here, trunk, number(1), used);
    assert.deepEqual([replayed.c, /stale=true/.test(replayed.h)], [407, true]);
    assert.equal(await reasonOf(trunk, number(1), login('guess')), '407 Proxy Authentication Required');
    await voice.send(new sdk.DeleteVoiceConnectorTerminationCredentialsCommand({ VoiceConnectorId: trunk, Usernames: ['ada'] }));
    assert.equal(await reasonOf(trunk, number(1), login()), '407 Proxy Authentication Required');
    await voice.send(new sdk.DeleteVoiceConnectorTerminationCredentialsCommand({ VoiceConnectorId: trunk, Usernames: ['bob'] }));

    // OPTIONS.
    const health = () => voice.send(new sdk.GetVoiceConnectorTerminationHealthCommand({ VoiceConnectorId: trunk }));
    assert.equal((await health()).TerminationHealth, undefined);
    assert.equal(await reasonOf(trunk, '', { m: 'OPTIONS', ru: `sip:${hostOf(trunk)}`, src: '127.0.10.40' }), '403 Forbidden');
    assert.equal(await reasonOf(trunk, '', { m: 'OPTIONS', ru: `sip:${hostOf(trunk)}` }), '200 OK');
    const { TerminationHealth } = await health();
    assert.equal(TerminationHealth?.Source, SOURCE);
    assert.ok(TerminationHealth.Timestamp instanceof Date);
    await terminate({ Disabled: true });
    assert.equal(await reasonOf(trunk, number(1)), '403 Forbidden');
    await voice.send(new sdk.DeleteVoiceConnectorTerminationCommand({ VoiceConnectorId: trunk }));
    await terminate({});
    assert.equal((await health()).TerminationHealth, undefined);

    await sipLogs(here, trunk);
    if (s3 !== undefined) await callRecords(here, s3, trunk, relayed.tx);

    // A deleted Voice Connector is unknown to the next INVITE.
    assert.equal(await reasonOf(trunk, number(1)), 'relay');
    const numbers = { VoiceConnectorId: trunk, E164PhoneNumbers: [number(0)] };
    await voice.send(new sdk.DisassociatePhoneNumbersFromVoiceConnectorCommand(numbers));
    assert.equal(await reasonOf(trunk, number(1)), `403 Caller Id ${number(0)} is not valid`);
    await voice.send(new sdk.DeleteVoiceConnectorCommand({ VoiceConnectorId: trunk }));
    assert.equal(await reasonOf(trunk, number(1)), '404 Not Found');
  });
}

/** RES-1: a call is one of the connector that received it, if the decision named this connector. The second call has only the second connector. */
async function endInbound(here: Opened, failedOver: string, direct: string, first: string, second: string): Promise<void> {
  const connectors = () => Promise.all([failedOver, direct].map((tx) => connectorOfCall(here, tx)));
  assert.deepEqual(await connectors(), [first, second]);
  for (const [tx, vc] of [
    [failedOver, second],
    [direct, first],
  ] as const)
    assert.equal((await here.post('/sip/record', JSON.stringify({ tx, code: 486, vc, ended: Date.now() }))).status, 200);
  assert.deepEqual(await connectors(), [second, second]);
}

/** Returns the Voice Connector of a stored call. */
async function connectorOfCall({ postgres, server }: Opened, tx: string): Promise<unknown> {
  if (postgres === undefined) {
    const database = new DatabaseSync(join(server.dataFolder, 'belfry.db'), { readOnly: true, timeout: 10_000 });
    try {
      return database.prepare('SELECT voice_connector_id FROM sip_call WHERE transaction_id = ?').get(tx)?.['voice_connector_id'];
    } finally {
      database.close();
    }
  }
  const database = new pg.Client({ connectionString: postgres.url });
  await database.connect();
  try {
    return (await database.query('SELECT voice_connector_id FROM sip_call WHERE transaction_id = $1', [tx])).rows[0]?.voice_connector_id;
  } finally {
    await database.end();
  }
}

/** Gives a number to a connector, and one to a group of two other connectors. */
async function associateNumbers({ voice }: Opened, trunk: string, first: string, second: string): Promise<string> {
  const group = await voice.send(
    new sdk.CreateVoiceConnectorGroupCommand({
      Name: 'group',
      VoiceConnectorItems: [
        { VoiceConnectorId: second, Priority: 2 },
        { VoiceConnectorId: first, Priority: 1 },
      ],
    }),
  );
  const VoiceConnectorGroupId = group.VoiceConnectorGroup?.VoiceConnectorGroupId as string;
  const associate = { VoiceConnectorId: trunk, E164PhoneNumbers: [number(0)] };
  await until(
    async () => (await voice.send(new sdk.AssociatePhoneNumbersWithVoiceConnectorCommand(associate))).PhoneNumberErrors?.length === 0,
    () => 'the order is not final',
  );
  await voice.send(new sdk.AssociatePhoneNumbersWithVoiceConnectorGroupCommand({ VoiceConnectorGroupId, E164PhoneNumbers: [number(1)] }));
  return VoiceConnectorGroupId;
}

/** Creates the bucket of call records, if the server has buckets. CD-1 and CD-3: its policy allows the service for this account and ACL only. */
async function recordsBucket(here: Opened): Promise<S3Client | undefined> {
  if (here.postgres !== undefined) return undefined;
  const s3 = new S3Client({ ...here.client(), endpoint: here.server.endpoint, forcePathStyle: true } as S3ClientConfig);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const Condition = { StringEquals: { 'aws:SourceAccount': here.accountId, 's3:x-amz-acl': 'bucket-owner-full-control' } };
  const Principal = { Service: 'chime.amazonaws.com' };
  const Statement = { Effect: 'Allow', Principal, Action: 's3:PutObject', Resource: `arn:aws:s3:::${BUCKET}/*`, Condition };
  await s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
  await here.voice.send(new sdk.UpdateGlobalSettingsCommand({ VoiceConnector: { CdrBucket: BUCKET } }));
  return s3;
}

/** Gives a group other connectors, and then no number. Each change applies to the next call. */
async function changeGroup(
  { voice }: Opened,
  VoiceConnectorGroupId: string,
  first: string,
  second: string,
  inbound: () => ReturnType<typeof decision>,
): Promise<void> {
  const items = [{ VoiceConnectorId: first, Priority: 1 }];
  await voice.send(new sdk.UpdateVoiceConnectorGroupCommand({ VoiceConnectorGroupId, Name: 'group', VoiceConnectorItems: items }));
  assert.equal((await inbound()).c, 480);
  const ofGroup = { VoiceConnectorGroupId, E164PhoneNumbers: [number(1)] };
  await voice.send(new sdk.DisassociatePhoneNumbersFromVoiceConnectorGroupCommand(ofGroup));
  assert.equal((await inbound()).c, 404);
  await voice.send(new sdk.AssociatePhoneNumbersWithVoiceConnectorGroupCommand(ofGroup));
  await voice.send(
    new sdk.UpdateVoiceConnectorGroupCommand({ VoiceConnectorGroupId, Name: 'group', VoiceConnectorItems: [{ VoiceConnectorId: second }] }),
  );
}

/** LOG-27, LOG-28: SIP messages of a call reach the log group of its Voice Connector, without credentials. */
async function sipLogs(here: Opened, VoiceConnectorId: string): Promise<void> {
  const readLogs = await enableSipLogs(here, VoiceConnectorId);
  const { tx } = await nextDecision(here, VoiceConnectorId, number(1), { ci: 'logged@pbx' });
  const message = `INVITE sip:a SIP/2.0\r\nCall-ID: logged@pbx\r\nProxy-Authorization: Digest username="ada", response="00secret"\r\n\r\n`;
  const socket = createSocket('udp4');
  after(() => socket.close());
  const send = (packet: Buffer) =>
    new Promise<void>((resolve, reject) =>
      socket.send(packet, Number(here.readFile('hep-address').split(':')[1]), '127.0.0.1', (error) => (error ? reject(error) : resolve())),
    );
  await send(Buffer.from('HEP3 is not a packet'));
  await send(hepPacket(message.replaceAll('logged@pbx', 'unknown@pbx')));
  // UDP can lose a datagram, so the test sends it again until it is written.
  let found: Awaited<ReturnType<typeof readLogs>> = [];
  await until(
    async () => {
      await send(hepPacket(message));
      found = await readLogs();
      return found.length > 0;
    },
    () => 'the SIP message is not in the log group',
  );
  for (const { voice_connector_id, aws_region, event_timestamp, call_id, sip_message } of found) {
    assert.deepEqual([voice_connector_id, aws_region, typeof event_timestamp, call_id], [VoiceConnectorId, 'us-east-1', 'number', tx]);
    assert.equal(sip_message, message.replace('username="ada", response="00secret"', 'HIDDEN_DUE_TO_SECURITY_REASONS'));
  }
  await here.voice.send(
    new sdk.PutVoiceConnectorLoggingConfigurationCommand({ VoiceConnectorId, LoggingConfiguration: { EnableSIPLogs: false } }),
  );
}

function hepPacket(message: string): Buffer {
  const chunk = (type: number, value: Buffer): Buffer => {
    const head = Buffer.alloc(6);
    head.writeUInt16BE(type, 2);
    head.writeUInt16BE(value.length + 6, 4);
    return Buffer.concat([head, value]);
  };
  const seconds = Buffer.alloc(4);
  seconds.writeUInt32BE(Math.floor(Date.now() / 1000));
  const chunks = [chunk(9, seconds), chunk(10, Buffer.alloc(4)), chunk(11, Buffer.from([1])), chunk(15, Buffer.from(message))];
  const head = Buffer.from('HEP3\0\0', 'latin1');
  head.writeUInt16BE(6 + Buffer.concat(chunks).length, 4);
  return Buffer.concat([head, ...chunks]);
}

/** CD-1, CD-3: the records of an answered call and of a rejected call are objects in the bucket. */
async function callRecords(here: Opened, s3: S3Client, trunk: string, tx: string): Promise<void> {
  const Prefix = `Amazon-Chime-Voice-Connector-CDRs/json/${trunk}/`;
  const records = new Map<string, { readonly key: string; readonly record: Record<string, unknown> }>();
  await until(
    async () => {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix }));
      const read = new Set([...records.values()].map((each) => each.key));
      for (const { Key = '' } of Contents.filter((each) => !read.has(each.Key ?? ''))) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key }));
        const record = JSON.parse(String(await buffer(Body as NodeJS.ReadableStream)));
        records.set(record.CallId, { key: Key, record });
      }
      return records.has('completed') && records.has('rejected');
    },
    () => `the bucket has only the records ${[...records.keys()]}`,
  );
  const { key = '', record = {} } = records.get('completed') ?? {};
  assert.match(key.slice(Prefix.length), new RegExp(`^\\d{4}/\\d\\d/\\d\\d/\\d\\d\\.\\d\\d\\.\\d\\d\\.\\d{3}_${tx}$`));
  const { StartTimeEpochSeconds, EndTimeEpochSeconds, BillableDurationSeconds, BillableDurationMinutes, ...rest } = record;
  assert.deepEqual(rest, {
    ...{ AwsAccountId: here.accountId, TransactionId: tx, CallId: 'completed', VoiceConnectorId: trunk, Status: 'Completed' },
    ...{ StatusMessage: 'OK', SipAuthUser: '', SchemaVersion: '2.0', SourcePhoneNumber: number(0), SourcePhoneNumberName: '' },
    ...{ SourceCountry: 'US', DestinationPhoneNumber: number(1), DestinationPhoneNumberName: '', DestinationCountry: 'US' },
    ...{ UsageType: 'USE1-US-US-outbound-minutes', ServiceCode: 'AmazonChimeVoiceConnector', Direction: 'Outbound' },
    ...{ Region: 'us-east-1', Streaming: false },
  });
  // The call was not longer than the time since its decision, although the report says 4 seconds.
  assert.equal(Number(BillableDurationMinutes) * 60, BillableDurationSeconds);
  assert.ok(Number(BillableDurationSeconds) <= 6 && Number(EndTimeEpochSeconds) >= Number(StartTimeEpochSeconds));
  const rejected = records.get('rejected')?.record ?? {};
  assert.deepEqual([rejected['Status'], rejected['StatusMessage'], rejected['BillableDurationSeconds']], ['Failed', '403', 0]);
}
