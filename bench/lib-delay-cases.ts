/** Cases of `delay.ts`: large batches, callbacks, look-ups, tokens and frames. Each function prepares a server and returns its cases. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ChimeSDKIdentityClient, CreateAppInstanceCommand, CreateAppInstanceUserCommand } from '@aws-sdk/client-chime-sdk-identity';
import { ChimeSDKMeetingsClient, CreateMeetingWithAttendeesCommand } from '@aws-sdk/client-chime-sdk-meetings';
import * as messaging from '@aws-sdk/client-chime-sdk-messaging';
import { CloudTrailClient, type LookupAttributeKey, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { CreateOpenIDConnectProviderCommand, CreateRoleCommand, GetUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { AssumeRoleWithWebIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import { callOwn } from '../src/cli/own-call.ts';
import { createFullUser, FULL_USER_POLICIES } from '../test/hostile/full-user.ts';
import { connectTarget } from '../test/kit/upgrade.ts';
import type { IdentityProvider } from '../test/sts/identity-provider.ts';
import type { DelayCase } from './lib-delay.ts';
import type { Process } from './load.ts';

/** Maximum number of members in one request. */
const BATCH_MAX = 100;
/** Maximum number of characters of a message, and of metadata. */
const CONTENT_MAX = 4_096;
const METADATA_MAX = 1_024;
/** Number of frames in one burst. */
const FRAMES = 20_000;
/** Size of the largest frame that a client may send, in bytes. */
const FRAME_MAX_BYTES = 1_024;
/** Maximum size of a ping. Source: RFC 6455, section 5.5. */
const PING_MAX_BYTES = 125;

const clientOf = ({ endpoint, credentials }: Process) => ({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });

/** Returns a case that sends an SDK command. An error of the service is an outcome of the case, not a failure. */
export function commandCase(name: string, send: () => Promise<unknown>): DelayCase {
  return {
    name,
    send: () =>
      send().then(
        () => '200',
        (error: Error) => error.name,
      ),
  };
}

/** Returns the cases of chat: the largest batches, the largest messages, and the largest callback of a channel flow. */
export async function chatCases(server: Process): Promise<DelayCase[]> {
  const identity = new ChimeSDKIdentityClient(clientOf(server));
  const chat = new messaging.ChimeSDKMessagingClient(clientOf(server));
  const { AppInstanceArn } = await identity.send(new CreateAppInstanceCommand({ Name: 'chat', ClientRequestToken: 'chat' }));
  const users: string[] = [];
  for (let i = 0; i <= BATCH_MAX; i++) {
    const input = { AppInstanceArn, AppInstanceUserId: `user-${i}`, Name: 'n'.repeat(100), ClientRequestToken: `user-${i}` };
    users.push((await identity.send(new CreateAppInstanceUserCommand(input))).AppInstanceUserArn as string);
  }
  const [ChimeBearer, ...MemberArns] = users as [string, ...string[]];
  let channels = 0;
  const newChannel = async () => {
    const input = { AppInstanceArn, Name: 'team', ChimeBearer, ClientRequestToken: `channel-${++channels}` };
    return (await chat.send(new messaging.CreateChannelCommand(input))).ChannelArn as string;
  };
  const ChannelArn = await newChannel();
  const send = (target: string) =>
    chat.send(
      new messaging.SendChannelMessageCommand({
        ChannelArn: target,
        ChimeBearer,
        Content: 'c'.repeat(CONTENT_MAX),
        Metadata: 'm'.repeat(METADATA_MAX),
        Type: 'STANDARD',
        Persistence: 'PERSISTENT',
      }),
    );
  for (let i = 0; i < 200; i++) await send(ChannelArn);
  const lambda = `arn:aws:lambda:us-east-1:${/:(\d{12}):/.exec(ChannelArn)?.[1]}:function:f`;
  const Processors = ['a', 'b', 'c'].map((Name, i) => ({
    Name,
    ExecutionOrder: i + 1,
    FallbackAction: 'CONTINUE' as const,
    Configuration: { Lambda: { ResourceArn: lambda, InvocationType: 'ASYNC' as const } },
  }));
  const { ChannelFlowArn } = await chat.send(new messaging.CreateChannelFlowCommand({ AppInstanceArn, Name: 'flow', Processors }));
  const withFlow = await newChannel();
  await chat.send(new messaging.AssociateChannelFlowCommand({ ChannelArn: withFlow, ChannelFlowArn, ChimeBearer }));
  return [
    commandCase('BatchCreateChannelMembership, 100 members', async () =>
      chat.send(new messaging.BatchCreateChannelMembershipCommand({ ChannelArn: await newChannel(), ChimeBearer, MemberArns })),
    ),
    commandCase('SendChannelMessage, the largest', () => send(ChannelArn)),
    commandCase('ListChannelMessages, 50 of the largest', () =>
      chat.send(new messaging.ListChannelMessagesCommand({ ChannelArn, ChimeBearer, MaxResults: 50 })),
    ),
    commandCase('ChannelFlowCallback, the largest message', async () => {
      const { MessageId } = await send(withFlow);
      const ChannelMessage = { MessageId, Content: 'd'.repeat(CONTENT_MAX), Metadata: 'n'.repeat(METADATA_MAX) };
      return chat.send(new messaging.ChannelFlowCallbackCommand({ CallbackId: MessageId, ChannelArn: withFlow, ChannelMessage }));
    }),
  ];
}

/** Returns the cases of sockets: bursts of the largest frames and of pings, which the server must read. */
export async function socketCases(server: Process): Promise<DelayCase[]> {
  const chat = new messaging.ChimeSDKMessagingClient(clientOf(server));
  const identity = new ChimeSDKIdentityClient(clientOf(server));
  const { AppInstanceArn } = await identity.send(new CreateAppInstanceCommand({ Name: 'sockets', ClientRequestToken: 'sockets' }));
  const input = { AppInstanceArn, AppInstanceUserId: 'socket', Name: 'socket', ClientRequestToken: 'socket' };
  const { AppInstanceUserArn = '' } = await identity.send(new CreateAppInstanceUserCommand(input));
  await chat.send(new messaging.GetMessagingSessionEndpointCommand({}));
  async function burst(kind: 'frames' | 'pings', bytes: number): Promise<string> {
    const parameters = { 'X-Amz-Chime-Messaging': '', userArn: AppInstanceUserArn, sessionId: crypto.randomUUID() };
    const url = server.endpoint.replace('http', 'ws') + connectTarget(server.endpoint, parameters, { keys: server.credentials });
    const child = spawn(process.execPath, ['bench/lib-burst.ts', url, kind, String(FRAMES), String(bytes)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [code] = await once(child.stdout, 'data');
    return `closed with ${String(code).trim()}`;
  }
  return [
    { name: `${FRAMES} frames of ${FRAME_MAX_BYTES} bytes`, send: () => burst('frames', FRAME_MAX_BYTES) },
    { name: `${FRAMES} pings of ${PING_MAX_BYTES} bytes`, send: () => burst('pings', PING_MAX_BYTES) },
  ];
}

/**
 * Returns the cases of CloudTrail: look-ups of all records, of values that no record has, and of an event name that
 * 0.1 % of the records have.
 */
export function trailCases(server: Process, records: number): DelayCase[] {
  const trail = new CloudTrailClient(clientOf(server));
  const lookUp = (AttributeKey: LookupAttributeKey | undefined, AttributeValue: string) =>
    trail.send(new LookupEventsCommand({ ...(AttributeKey && { LookupAttributes: [{ AttributeKey, AttributeValue }] }), MaxResults: 50 }));
  const keys: readonly LookupAttributeKey[] = ['EventName', 'Username', 'ResourceName', 'EventId', 'AccessKeyId', 'ReadOnly'];
  return [
    commandCase(`LookupEvents without filter, ${records} records`, () => lookUp(undefined, '')),
    ...keys.map((key) => commandCase(`LookupEvents by ${key}, no record`, () => lookUp(key, key === 'ReadOnly' ? 'true' : 'none'))),
    commandCase('LookupEvents by EventName, one record in a thousand', () => lookUp('EventName', 'Rare')),
  ];
}

/** Returns the cases of tokens: the largest OpenID Connect tokens, and repeated requests with the same client request token. */
export async function tokenCases(server: Process, provider: IdentityProvider): Promise<DelayCase[]> {
  const iam = new IAMClient(clientOf(server));
  const { OpenIDConnectProviderArn } = await iam.send(
    new CreateOpenIDConnectProviderCommand({ Url: provider.issuer, ClientIDList: ['client-1'], ThumbprintList: [provider.thumbprint] }),
  );
  const statement = { Effect: 'Allow', Principal: { Federated: OpenIDConnectProviderArn }, Action: 'sts:AssumeRoleWithWebIdentity' };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'web', AssumeRolePolicyDocument }));
  const sts = new STSClient({ ...clientOf(server), credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
  const assume = (WebIdentityToken: string) =>
    sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn: Role?.Arn, RoleSessionName: 'web', WebIdentityToken }));
  const TOKEN_MAX = 20_000;
  // With these claims the token almost has the maximum length. Base64url takes four characters for three bytes. Header
  // and signature take about 500 characters.
  const claims = { amr: Array.from({ length: 3_500 }, (_, i) => `${i % 10}`) };
  const nested = { nested: JSON.parse(`${'['.repeat(1_000)}${']'.repeat(1_000)}`) };
  const [list, deep] = [await provider.token(claims), await provider.token(nested)];
  const meetings = new ChimeSDKMeetingsClient(clientOf(server));
  const Attendees = Array.from({ length: 20 }, (_, i) => ({ ExternalUserId: `user-${i}`.padEnd(64, 'u') }));
  return [
    commandCase(`AssumeRoleWithWebIdentity, a valid token of ${list.length} characters`, () => assume(list)),
    commandCase(`AssumeRoleWithWebIdentity, a nested token of ${deep.length} characters`, () => assume(deep)),
    commandCase(`AssumeRoleWithWebIdentity, ${TOKEN_MAX} characters without a signature`, () =>
      assume(`${list.split('.')[0]}.${'a'.repeat(TOKEN_MAX - 2_000)}.b`),
    ),
    commandCase('CreateMeetingWithAttendees, one token for all', () =>
      meetings.send(
        new CreateMeetingWithAttendeesCommand({
          ClientRequestToken: 'same',
          MediaRegion: 'us-east-1',
          ExternalMeetingId: 'standup',
          Attendees,
        }),
      ),
    ),
  ];
}

/**
 * Returns the cases of explanations: ExplainDecision about a request of a user with the most policies that IAM allows, and about one of the
 * administrator.
 */
export async function explanationCases(server: Process): Promise<DelayCase[]> {
  const iam = new IAMClient(clientOf(server));
  const credentials = await createFullUser(iam, 'full');
  const requestIdOf = async (client: IAMClient): Promise<string> => {
    const failed = await client.send(new GetUserCommand({ UserName: 'absent' })).catch((error: Error) => error);
    return (failed as { readonly $metadata?: { readonly requestId?: string } }).$metadata?.requestId as string;
  };
  const denied = await requestIdOf(new IAMClient({ ...clientOf(server), credentials }));
  const allowed = await requestIdOf(iam);
  const operation = loadModel('accessanalyzer').operations['ExplainDecision'] as OperationModel;
  const explain = (name: string, requestId: string): DelayCase => ({
    name,
    async send() {
      const { status, body } = await callOwn({ ...clientOf(server) }, 'accessanalyzer', operation, { requestId });
      return `${status} ${(body as { readonly decision?: string }).decision ?? ''}, ${JSON.stringify(body).length} characters`;
    },
  });
  return [
    explain('ExplainDecision, an allowed request of the administrator', allowed),
    explain(`ExplainDecision, a denied request of a user with ${FULL_USER_POLICIES} policies`, denied),
  ];
}
