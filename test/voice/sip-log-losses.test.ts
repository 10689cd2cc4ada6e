/** SIP messages that no log group accepts: the server reports them once a minute for each reason, and counts them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as sdk from '@aws-sdk/client-chime-sdk-voice';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  FilterLogEventsCommand,
  PutResourcePolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { systemClock } from '#server/core/clock.ts';
import type { SipHandlers } from '#server/sip/open-sip.ts';
import { LOSSY_DELIVERIES } from '#services/kit/losses.ts';
import { startTestCore } from '../kit/core.ts';
import { listenForCore } from '../kit/core-listener.ts';
import { until } from '../kit/until.ts';

let handlers: SipHandlers | undefined;
/** Time that has passed in addition to that of the system's clock. */
let passed = 0;
const lines: string[] = [];
const core = await startTestCore({
  clock: { ...systemClock, monotonic: () => systemClock.monotonic() + passed },
  report: (line) => void lines.push(line),
  sip: {
    async listen(opened) {
      handlers = opened;
      return { close: async () => undefined };
    },
    resolve: async () => [],
  },
});
const endpoint = await listenForCore(core);
const client = { endpoint, region: 'us-east-1', credentials: core.credentials, maxAttempts: 1 };
const voice = new sdk.ChimeSDKVoiceClient({ ...client, endpoint: `${endpoint}/_chime-sdk-voice` });
const logs = new CloudWatchLogsClient(client);
const SOURCE = '8.8.8.8';

const created = await voice.send(new sdk.CreateVoiceConnectorCommand({ Name: 'trunk', RequireEncryption: false }));
const VoiceConnectorId = created.VoiceConnector?.VoiceConnectorId as string;
const Termination = { CallingRegions: ['US'], CidrAllowedList: [`${SOURCE}/32`], CpsLimit: 1, Disabled: false };
await voice.send(new sdk.PutVoiceConnectorTerminationCommand({ VoiceConnectorId, Termination }));
const LoggingConfiguration = { EnableSIPLogs: true };
await voice.send(new sdk.PutVoiceConnectorLoggingConfigurationCommand({ VoiceConnectorId, LoggingConfiguration }));
const logGroupName = `/aws/ChimeVoiceConnectorSipMessages/${VoiceConnectorId}`;

let calls = 0;

/** Sends a refused call with some messages to the server, as the proxy does. */
async function call(messages: number): Promise<void> {
  const ci = `call-${++calls}`;
  const ru = `sip:0114930123@${VoiceConnectorId}.voiceconnector.chime.aws`;
  const request = { m: 'INVITE', i: 1, l: 2, src: SOURCE, port: 5060, proto: 'udp', ru, tu: ru, fu: 'sip:+12065550100@pbx', ci };
  const decision = JSON.parse((await handlers?.decide(Buffer.from(JSON.stringify(request)))) ?? '{}');
  assert.equal(decision.c, 484);
  for (let i = 0; i < messages; i++) handlers?.mirror({ at: Date.now(), text: `INVITE ${ru} SIP/2.0\r\nCall-ID: ${ci}\r\nCSeq: ${i}\r\n` });
}

async function lost(): Promise<number | undefined> {
  return (await core.figures()).losses[LOSSY_DELIVERIES.indexOf('sip_logs')];
}

async function untilLost(expected: number): Promise<void> {
  let found: number | undefined;
  await until(
    async () => (found = await lost()) === expected,
    () => `${found} messages are lost, and not ${expected}`,
  );
}

test('SIP logs: messages without a log group or a resource policy are counted, with one line a minute for each reason', async () => {
  const own = () => lines.filter((line) => line.includes('SIP messages'));
  const of = (messages: number, reason: string) =>
    `lost ${messages} SIP messages of the Voice Connector '${VoiceConnectorId}' of account '${core.accountId}', because ${reason}`;
  const noGroup = `the log group '${logGroupName}' does not exist in 'us-east-1'`;
  const denied = `no resource policy allows 'delivery.logs.amazonaws.com' to write to the log group '${logGroupName}' in 'us-east-1'`;
  await call(2);
  await untilLost(2);
  await call(3);
  await untilLost(5);
  assert.deepEqual(own(), [of(2, noGroup)]);
  passed += 60_000;
  await call(1);
  await untilLost(6);
  assert.deepEqual(own(), [of(2, noGroup), of(4, noGroup)]);
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await call(1);
  await untilLost(7);
  assert.deepEqual(own(), [of(2, noGroup), of(4, noGroup), of(1, denied)]);
  const Statement = {
    ...{ Effect: 'Allow', Principal: { Service: 'delivery.logs.amazonaws.com' }, Resource: '*' },
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
  };
  const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await logs.send(new PutResourcePolicyCommand({ policyName: 'sip', policyDocument }));
  await call(2);
  const written = async () => (await logs.send(new FilterLogEventsCommand({ logGroupName }))).events?.length;
  await until(
    async () => (await written()) === 2,
    () => 'the messages are not in the log group',
  );
  assert.deepEqual([await lost(), own().length], [7, 3]);
});

test('SIP logs: messages above the limit of the memory are counted too', async () => {
  const before = (await lost()) ?? 0;
  await call(5_010);
  await until(
    async () => ((await lost()) ?? 0) > before,
    () => 'no message is lost',
  );
  assert.ok(lines.some((line) => /^lost \d+ SIP messages, because there were too many for the SIP logs$/.test(line)));
});
