/**
 * A server for the tests of ARN variants. For each type of resource that an input names by ARN, the server has one
 * resource, and one user with a Deny on that resource. The module also creates the input of each operation. The account
 * and its clients are from `test/kit/account.ts`.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CreateAppInstanceAdminCommand } from '@aws-sdk/client-chime-sdk-identity';
import { CreateMediaInsightsPipelineConfigurationCommand } from '@aws-sdk/client-chime-sdk-media-pipelines';
import { CreateChannelCommand, CreateChannelFlowCommand } from '@aws-sdk/client-chime-sdk-messaging';
import { CreateVoiceConnectorCommand } from '@aws-sdk/client-chime-sdk-voice';
import {
  CreateGroupCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreateSAMLProviderCommand,
  CreateServiceLinkedRoleCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
} from '@aws-sdk/client-iam';
import { type ArnInput, arnInputsOf } from '#model/arn-inputs.ts';
import { loadModel } from '#model/load.ts';
import type { OperationModel } from '#model/model.ts';
import type { ServiceName } from '#model/services.ts';
import { startAccount, type TestAccount } from '../kit/account.ts';
import { newAppInstance, newAppInstanceUser, newBot } from '../kit/app-instance.ts';
import { SDK_SERVICES } from '../kit/clients.ts';
import type { Keys } from '../kit/keys.ts';
import { createMeeting } from '../kit/meeting.ts';
import { allow, deny, policy, trust, trustService } from '../kit/policy.ts';
import { inputFor, operationsOf } from '../sdk/every-operation.ts';
import { replaceAt } from '../wire/samples.ts';

/** Member of an operation's input that names a resource of this server. */
export interface Place {
  readonly service: ServiceName;
  readonly operation: OperationModel;
  readonly input: ArnInput;
  /** Type of resource: the first type that the member accepts and that exists on this server. */
  readonly type: string;
}

export interface DeniedResources extends TestAccount {
  /** ARN of the resource of each type. */
  readonly canonical: Readonly<Record<string, string>>;
  /** Every input member of every service that names a resource of this server. */
  readonly places: readonly Place[];
  /**
   * Access keys of one user for each type of resource. The user may do everything, except with the resource of that
   * type.
   */
  readonly deniedOn: Readonly<Record<string, Keys>>;
  /**
   * Returns an input for `place.operation`. The member `place.input` has the value `text`. Every other ARN is valid.
   */
  inputWith(place: Place, text: string): unknown;
  /** Returns a digest of the database without the records of requests. */
  stateDigest(): string;
}

const METADATA =
  '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example.com"><IDPSSODescriptor ' +
  'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor><KeyInfo><X509Data><X509Certificate>' +
  'A'.repeat(1_000) +
  '</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor></EntityDescriptor>';
const MEDIA_PIPELINES = 'mediapipelines.chime.amazonaws.com';

/** Starts the server and creates its resources. */
export async function startDeniedResources(): Promise<DeniedResources> {
  const account = await startAccount();
  const canonical: Readonly<Record<string, string>> = { ...(await identityResources(account)), ...(await chimeResources(account)) };
  const places = SDK_SERVICES.flatMap((service) =>
    operationsOf(service).flatMap((operation) =>
      arnInputsOf(loadModel(service), operation).flatMap((input): Place[] => {
        const type = input.types.find((each) => canonical[each] !== undefined);
        return type === undefined ? [] : [{ service, operation, input, type }];
      }),
    ),
  );
  const deniedOn: Record<string, Keys> = {};
  for (const [type, arn] of Object.entries(canonical)) {
    const same = Object.values(canonical).indexOf(arn);
    const first = Object.keys(canonical)[same] as string;
    deniedOn[type] = deniedOn[first] ?? (await account.user(`without-${type.replace(':', '-')}`, allow('*'), ...denials(arn)));
  }

  return {
    ...account,
    canonical,
    places,
    deniedOn,
    inputWith({ service, operation, input }, text) {
      const filled = inputFor(service, operation, account.accountId, (sample, member) =>
        /^(User|Role|Group)Name$/.test(member) ? 'Target' : sample,
      ) as Record<string, unknown>;
      for (const other of arnInputsOf(loadModel(service), operation)) {
        const type = other.types.find((each) => canonical[each] !== undefined);
        if (type !== undefined) replaceAt(filled, other.path, () => canonical[type] as string);
      }
      replaceAt(filled, input.path, () => text);
      return filled;
    },
    stateDigest: () => digestOf(account.server.dataFolder),
  };
}

/** Returns statements that deny everything about one ARN: as resource, as attached policy, as boundary. */
function denials(arn: string) {
  return [
    deny('*', arn),
    deny('*', '*', { Condition: { ArnEquals: { 'iam:PolicyARN': arn } } }),
    deny('*', '*', { Condition: { ArnEquals: { 'iam:PermissionsBoundary': arn } } }),
  ];
}

async function identityResources({ admin, accountId, role, userArn }: TestAccount): Promise<Record<string, string>> {
  await admin.send(new CreateUserCommand({ UserName: 'Target' }));
  await admin.send(new CreateGroupCommand({ GroupName: 'Target' }));
  const targetRole = await role('Target', trust(`arn:aws:iam::${accountId}:root`));
  const { Policy } = await admin.send(new CreatePolicyCommand({ PolicyName: 'Target', PolicyDocument: policy(allow('chime:*')) }));
  const { OpenIDConnectProviderArn } = await admin.send(new CreateOpenIDConnectProviderCommand({ Url: 'https://idp.example.com/path' }));
  const { SAMLProviderArn } = await admin.send(new CreateSAMLProviderCommand({ Name: 'Target', SAMLMetadataDocument: METADATA }));
  const { VirtualMFADevice } = await admin.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: 'BreakGlass' }));
  return {
    'iam:user': userArn('Target'),
    'iam:group': `arn:aws:iam::${accountId}:group/Target`,
    'iam:role': targetRole,
    'sts:role': targetRole,
    'iam:policy': Policy?.Arn as string,
    'iam:oidc-provider': OpenIDConnectProviderArn as string,
    'iam:saml-provider': SAMLProviderArn as string,
    'iam:mfa': VirtualMFADevice?.SerialNumber as string,
  };
}

async function chimeResources(account: TestAccount): Promise<Record<string, string>> {
  const { admin, role, accountId } = account;
  const [identity, messaging] = [account.identity(), account.messaging()];
  const AppInstanceArn = await newAppInstance(identity);
  const ChimeBearer = await newAppInstanceUser(identity, AppInstanceArn, 'Target');
  await identity.send(new CreateAppInstanceAdminCommand({ AppInstanceArn, AppInstanceAdminArn: ChimeBearer }));
  const botArn = await newBot(identity, AppInstanceArn);
  const { ChannelArn } = await messaging.send(
    new CreateChannelCommand({ AppInstanceArn, Name: 'Target', ChannelId: 'Target', Privacy: 'PUBLIC', ChimeBearer }),
  );
  const { ChannelFlowArn } = await messaging.send(
    new CreateChannelFlowCommand({
      AppInstanceArn,
      Name: 'Target',
      ClientRequestToken: 'target',
      Processors: [
        {
          Name: 'p',
          ExecutionOrder: 1,
          FallbackAction: 'CONTINUE',
          Configuration: {
            Lambda: { ResourceArn: `arn:aws:lambda:us-east-1:${accountId}:function:filter`, InvocationType: 'ASYNC' },
          },
        },
      ],
    }),
  );
  const { Meeting } = await account.meetings().send(createMeeting('target'));
  const { VoiceConnector } = await account.voice().send(new CreateVoiceConnectorCommand({ Name: 'Target', RequireEncryption: true }));
  await admin.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: MEDIA_PIPELINES }));
  const { MediaInsightsPipelineConfiguration } = await account.pipelines().send(
    new CreateMediaInsightsPipelineConfigurationCommand({
      MediaInsightsPipelineConfigurationName: 'Target',
      ResourceAccessRoleArn: await role('Access', trustService(MEDIA_PIPELINES)),
      Elements: [{ Type: 'S3RecordingSink', S3RecordingSinkConfiguration: { Destination: 'arn:aws:s3:::calls' } }],
    }),
  );
  return {
    'chime:app-instance': AppInstanceArn,
    'chime:app-instance-user': ChimeBearer,
    'chime:app-instance-bot': botArn,
    'chime:channel': ChannelArn as string,
    'chime:channel-flow': ChannelFlowArn as string,
    'chime:meeting': Meeting?.MeetingArn as string,
    'chime:voice-connector': VoiceConnector?.VoiceConnectorArn as string,
    'chime:media-insights-pipeline-configuration': MediaInsightsPipelineConfiguration?.MediaInsightsPipelineConfigurationArn as string,
  };
}

const STATE = [
  'identity_document',
  'resource',
  'channel',
  'channel_membership',
  'channel_standing',
  'sub_channel',
  'channel_message',
  'meeting',
  'attendee',
];

function digestOf(dataFolder: string): string {
  const database = new DatabaseSync(join(dataFolder, 'belfry.db'), { readOnly: true, timeout: 10_000 });
  const digest = createHash('sha256');
  for (const table of STATE)
    for (const row of database.prepare(`SELECT * FROM ${table} ORDER BY 1, 2, 3`).iterate()) digest.update(JSON.stringify(row));
  database.close();
  return digest.digest('hex');
}
