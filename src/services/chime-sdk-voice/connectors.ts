import type { ChimeSdkVoiceApi, VoiceConnectorAwsRegion } from '#model/generated/chime-sdk-voice.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { type Change, resource } from '../kit/resource.ts';
import { listOfAccount } from './access.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { VOICE_CONNECTOR, VOICE_CONNECTOR_GROUP, type VoiceConnectorDocument } from './kinds.ts';

/** Source: chime-sdk-voice 2022-08-03, VoiceConnectorAwsRegion. */
export const VOICE_REGIONS: readonly VoiceConnectorAwsRegion[] = [
  'us-east-1',
  'us-west-2',
  'ca-central-1',
  'eu-central-1',
  'eu-west-1',
  'eu-west-2',
  'ap-northeast-2',
  'ap-northeast-1',
  'ap-southeast-1',
  'ap-southeast-2',
];

/** Source: AWS CLI reference, create-voice-connector, its example. Assumed: the domain is AWS's, although this server does not serve it. */
const HOST_SUFFIX = '.voiceconnector.chime.aws';

/**
 * Voice Connectors: the SIP trunks of an account. This server stores their configuration. It has no SIP plane, so they carry no calls.
 *
 * Source: chime-sdk-voice 2022-08-03, CreateVoiceConnector … DeleteVoiceConnector; ErrorCode. Chime SDK API reference,
 * CreateVoiceConnector: `AwsRegion` is us-east-1 by default.
 * Assumed: a Voice Connector belongs to the region of the control plane that created it, which may differ from `AwsRegion`;
 * `NetworkType` is IPV4_ONLY by default.
 */
export function connectorOperations({ limits }: VoiceDeps) {
  return {
    ...resource(VOICE_CONNECTOR, {
      limit: { most: limits.connectors, per: 'region' },
      computed: { OutboundHostName: ({ id }) => `${id}${HOST_SUFFIX}` },
      create: {
        operation: 'CreateVoiceConnector',
        defaults: { AwsRegion: 'us-east-1', NetworkType: 'IPV4_ONLY', Credentials: [] },
        id: newConnectorId,
      },
      read: { operation: 'GetVoiceConnector' },
      update: { operation: 'UpdateVoiceConnector' },
      delete: { operation: 'DeleteVoiceConnector', guard: [refuseInGroup] },
      list: { operation: 'ListVoiceConnectors' },
    }),

    ListAvailableVoiceConnectorRegions: { handle: async () => ({ VoiceConnectorRegions: VOICE_REGIONS }) },
  } satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;
}

/**
 * Checks that a Voice Connector is in no group. A SIP rule for its host name remains after the deletion. Requirement RES-1.
 *
 * Assumed: the message. `PhoneNumberAssociationsExist` cannot occur, because there are no phone numbers.
 * @throws ConflictException with the `Code` VoiceConnectorGroupAssociationsExist
 */
async function refuseInGroup(call: Call, { before }: Change<VoiceConnectorDocument, unknown>): Promise<void> {
  const groups = await listOfAccount(call.tx, call, VOICE_CONNECTOR_GROUP);
  if (groups.some(({ document }) => document.VoiceConnectorItems.some((item) => item.VoiceConnectorId === before?.id))) {
    throw groupAssociationsExist(`Voice Connector '${before?.id}' is in a Voice Connector group.`);
  }
}

/** Source: chime-sdk-voice 2022-08-03, ErrorCode. Assumed: it is the `Code` of the ConflictException. */
export function groupAssociationsExist(message: string): AwsError {
  return new AwsError('ConflictException', message, { Code: 'VoiceConnectorGroupAssociationsExist' });
}

/** Returns the ID in the outbound host name of a Voice Connector; undefined for other host names. */
export function connectorIdOfHost(host: string): string | undefined {
  return host.endsWith(HOST_SUFFIX) ? host.slice(0, -HOST_SUFFIX.length) : undefined;
}

/**
 * Returns a new ID of 22 letters and digits, as unique as a UUID.
 *
 * Source: chime-sdk-voice 2022-08-03, VoiceConnectorId, and the examples of the CLI reference.
 */
function newConnectorId({ newId }: Call): string {
  return BigInt(`0x${newId().replaceAll('-', '')}`)
    .toString(36)
    .padStart(22, '0')
    .slice(-22);
}
