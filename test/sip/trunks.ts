/** Voice Connectors of the tests of the SIP proxy, created with the SDK. */
import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import * as sdk from '@aws-sdk/client-chime-sdk-voice';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  FilterLogEventsCommand,
  PutResourcePolicyCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutBucketPolicyCommand, type S3Client } from '@aws-sdk/client-s3';
import { askControl } from '#server/operator/ask-control.ts';
import type { ClientSettings } from '../kit/server.ts';
import { until } from '../kit/until.ts';
import type { Call, Party, SipMessage } from './party.ts';
import { PROXY_HOST } from './proxy.ts';

/** Addresses of the parties. The carrier may call every number; the customer may use the trunk. */
export const CUSTOMER = '127.0.10.2';
export const STRANGER = '127.0.10.40';
export const CARRIER = '127.0.10.97';

export const number = (last: number) => `+1206555010${last}`;
export const hostOf = (voiceConnectorId: string) => `${voiceConnectorId}.voiceconnector.chime.aws`;

/** Orders the numbers `number(0)` to `number(5)`, and waits until they can be used. */
export async function orderNumbers(voice: sdk.ChimeSDKVoiceClient, dataFolder: string): Promise<void> {
  const numbers = [0, 1, 2, 3, 4, 5].map(number);
  const rows = numbers.map((each, line) => ({
    line,
    fields: { number: each, country: 'US', type: 'Local', products: 'VoiceConnector', area_code: '206', state: 'WA', city: 'Seattle' },
  }));
  const reply = await askControl(dataFolder, { command: 'numbers import', rows, isPreview: false });
  assert.ok(reply.ok);
  const { PhoneNumberOrder } = await voice.send(
    new sdk.CreatePhoneNumberOrderCommand({ ProductType: 'VoiceConnector', E164PhoneNumbers: numbers }),
  );
  await until(
    async () => {
      const order = { PhoneNumberOrderId: PhoneNumberOrder?.PhoneNumberOrderId };
      return (await voice.send(new sdk.GetPhoneNumberOrderCommand(order))).PhoneNumberOrder?.Status === 'Successful';
    },
    () => 'the numbers are not ordered',
  );
}

/** Creates a Voice Connector with numbers. Returns its ID. */
export async function createTrunk(
  voice: sdk.ChimeSDKVoiceClient,
  { name, numbers, routes = [], encrypted = false }: TrunkInput,
): Promise<string> {
  const created = await voice.send(new sdk.CreateVoiceConnectorCommand({ Name: name, RequireEncryption: encrypted }));
  const VoiceConnectorId = created.VoiceConnector?.VoiceConnectorId as string;
  if (numbers.length > 0) {
    const associated = await voice.send(
      new sdk.AssociatePhoneNumbersWithVoiceConnectorCommand({ VoiceConnectorId, E164PhoneNumbers: [...numbers] }),
    );
    assert.deepEqual(associated.PhoneNumberErrors, []);
  }
  if (routes.length > 0) await setRoutes(voice, VoiceConnectorId, ...routes);
  await setTermination(voice, VoiceConnectorId);
  return VoiceConnectorId;
}

export interface TrunkInput {
  readonly name: string;
  readonly numbers: readonly string[];
  readonly routes?: readonly sdk.OriginationRoute[];
  readonly encrypted?: boolean;
}

/** Lets the customer's address call numbers in the United States. `more` replaces members. */
export async function setTermination(voice: sdk.ChimeSDKVoiceClient, VoiceConnectorId: string, more: Partial<sdk.Termination> = {}) {
  const Termination = { CallingRegions: ['US'], CidrAllowedList: [`${CUSTOMER}/32`], CpsLimit: 1, Disabled: false, ...more };
  await voice.send(new sdk.PutVoiceConnectorTerminationCommand({ VoiceConnectorId, Termination }));
}

export async function setRoutes(voice: sdk.ChimeSDKVoiceClient, VoiceConnectorId: string, ...routes: readonly sdk.OriginationRoute[]) {
  const Origination = { Routes: [...routes], Disabled: false };
  await voice.send(new sdk.PutVoiceConnectorOriginationCommand({ VoiceConnectorId, Origination }));
}

/** Returns a route to a party. Routes with a lower priority number are tried first. */
export const route = (
  { host, port }: Pick<Party, 'host' | 'port'>,
  Priority = 1,
  Protocol: 'UDP' | 'TCP' = 'UDP',
): sdk.OriginationRoute => ({
  ...{ Host: host, Port: port, Protocol, Priority, Weight: 1 },
});

/** URI that a carrier calls: the number at the address of the proxy. */
export const inbound = (to: string) => `sip:${to}@${PROXY_HOST}`;

/** Starts calls until the trunk's limit of one call per second allows one. Returns the call and its final response. */
export async function callWithinLimit(party: Party, start: () => Call): Promise<{ readonly call: Call; readonly final: SipMessage }> {
  let call = start();
  let final = await party.final(call);
  await until(
    async () => {
      if (final.code !== 503 || final.header('retry-after') !== '1') return true;
      call.ackError(final);
      call = start();
      final = await party.final(call);
      return false;
    },
    () => 'the limit of calls is never free',
  );
  return { call, final };
}

/** Ends an answered call. */
export async function hangUp(party: Party, call: Call, ok: SipMessage): Promise<void> {
  call.inside('BYE', ok);
  assert.equal((await party.final(call, 'BYE')).code, 200);
}

/** Account whose Voice Connectors write SIP logs. */
export interface LogAccount {
  readonly accountId: string;
  /** Returns the settings of an SDK client. */
  client(): ClientSettings;
  readonly voice: sdk.ChimeSDKVoiceClient;
}

/** Members of a log event with a SIP message. */
export interface SipLogEvent {
  readonly voice_connector_id: string;
  readonly aws_region: string;
  readonly event_timestamp: number;
  readonly call_id: string;
  readonly sip_message: string;
}

/** Enables the SIP logs of a Voice Connector (LOG-27). Returns a function that reads the log events, oldest first. */
export async function enableSipLogs(
  { accountId, client, voice }: LogAccount,
  VoiceConnectorId: string,
): Promise<() => Promise<readonly SipLogEvent[]>> {
  const logs = new CloudWatchLogsClient(client());
  const logGroupName = `/aws/ChimeVoiceConnectorSipMessages/${VoiceConnectorId}`;
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  const Principal = { Service: 'delivery.logs.amazonaws.com' };
  const Condition = { StringEquals: { 'aws:SourceAccount': accountId } };
  const Statement = { Effect: 'Allow', Principal, Action: ['logs:CreateLogStream', 'logs:PutLogEvents'], Resource: '*', Condition };
  const policyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await logs.send(new PutResourcePolicyCommand({ policyName: 'sip', policyDocument }));
  const LoggingConfiguration = { EnableSIPLogs: true };
  await voice.send(new sdk.PutVoiceConnectorLoggingConfigurationCommand({ VoiceConnectorId, LoggingConfiguration }));
  return async () => {
    const messages: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await logs.send(new FilterLogEventsCommand({ logGroupName, nextToken }));
      messages.push(...(page.events ?? []).map(({ message = '' }) => message));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return messages.map((message) => JSON.parse(message));
  };
}

/** Call detail record in a bucket. */
export interface CallRecord {
  readonly CallId: string;
  readonly TransactionId: string;
  readonly Status: string;
  readonly SipAuthUser: string;
}

/**
 * Lets the server write the records of calls into a new bucket. Returns a function that waits for the records of the passed Call-IDs and
 * returns all records of the Voice Connector. It takes a client, because a server that starts again has another address.
 */
export async function keepRecords(
  { accountId, voice, s3 }: Pick<LogAccount, 'accountId' | 'voice'> & { readonly s3: S3Client },
  voiceConnectorId: string,
): Promise<(client: S3Client, ...callIds: readonly string[]) => Promise<readonly CallRecord[]>> {
  const Bucket = 'call-records';
  await s3.send(new CreateBucketCommand({ Bucket }));
  const Condition = { StringEquals: { 'aws:SourceAccount': accountId, 's3:x-amz-acl': 'bucket-owner-full-control' } };
  const Principal = { Service: 'chime.amazonaws.com' };
  const Statement = { Effect: 'Allow', Principal, Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/*`, Condition };
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
  await voice.send(new sdk.UpdateGlobalSettingsCommand({ VoiceConnector: { CdrBucket: Bucket } }));
  const read = new Map<string, CallRecord>();
  return async (client, ...callIds) => {
    const found = () => [...read.values()];
    await until(
      async () => {
        const Prefix = `Amazon-Chime-Voice-Connector-CDRs/json/${voiceConnectorId}/`;
        const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
        for (const { Key = '' } of Contents.filter((each) => !read.has(each.Key ?? ''))) {
          const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
          read.set(Key, JSON.parse(String(await buffer(Body as NodeJS.ReadableStream))));
        }
        return callIds.every((callId) => found().some(({ CallId }) => CallId === callId));
      },
      () => `the calls were ${callIds}, and the bucket has the records of ${found().map(({ CallId }) => CallId)}`,
    );
    return found();
  };
}
