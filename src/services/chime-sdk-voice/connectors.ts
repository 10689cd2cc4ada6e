import type { ChimeSdkVoiceApi, VoiceConnectorAwsRegion } from '#model/generated/chime-sdk-voice.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { type Change, resource } from '../kit/resource.ts';
import { listOfAccount } from './access.ts';
import { refuseWithNumbers } from './connector-numbers.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { outboundHostName } from './host-names.ts';
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

/**
 * Voice Connectors: the SIP trunks of an account. `sip/decision.ts` decides about their calls.
 *
 * Source: chime-sdk-voice 2022-08-03, CreateVoiceConnector … DeleteVoiceConnector; ErrorCode. Chime SDK API reference,
 * CreateVoiceConnector: `AwsRegion` is us-east-1 by default.
 * Assumed: (1) A Voice Connector belongs to the region of the control plane that created it, which may differ from
 * `AwsRegion`. (2) `NetworkType` is IPV4_ONLY by default.
 */
export function connectorOperations({ limits, hostSuffix }: VoiceDeps) {
  return {
    ...resource(VOICE_CONNECTOR, {
      limit: { most: limits.connectors, per: 'region' },
      computed: { OutboundHostName: ({ id }) => outboundHostName(id, hostSuffix) },
      create: {
        operation: 'CreateVoiceConnector',
        defaults: { AwsRegion: 'us-east-1', NetworkType: 'IPV4_ONLY', Credentials: [] },
        id: newConnectorId,
      },
      read: { operation: 'GetVoiceConnector' },
      update: { operation: 'UpdateVoiceConnector' },
      delete: { operation: 'DeleteVoiceConnector', guard: [refuseInGroup, refuseWithNumbers('VoiceConnectorId')] },
      list: { operation: 'ListVoiceConnectors' },
    }),

    ListAvailableVoiceConnectorRegions: { handle: async () => ({ VoiceConnectorRegions: VOICE_REGIONS }) },
  } satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;
}

/**
 * Checks before a deletion that the Voice Connector is in no group. The deletion does not delete SIP rules for the host
 * name of the Voice Connector. Requirement RES-1.
 *
 * Assumed: the wording of the error message.
 * @throws ConflictException with the `Code` VoiceConnectorGroupAssociationsExist
 */
async function refuseInGroup(call: Call, { before }: Change<VoiceConnectorDocument, unknown>): Promise<void> {
  const groups = await listOfAccount(call.tx, call, VOICE_CONNECTOR_GROUP);
  if (groups.some(({ document }) => document.VoiceConnectorItems.some((item) => item.VoiceConnectorId === before?.id))) {
    throw groupAssociationsExist(`Voice Connector '${before?.id}' is in a Voice Connector group.`);
  }
}

/**
 * Returns the error for a Voice Connector that is in a group, or for a group that has Voice Connectors.
 * Source: chime-sdk-voice 2022-08-03, ErrorCode. Assumed: VoiceConnectorGroupAssociationsExist is the `Code` of the
 * ConflictException.
 */
export function groupAssociationsExist(message: string): AwsError {
  return new AwsError('ConflictException', message, { Code: 'VoiceConnectorGroupAssociationsExist' });
}

/**
 * Returns a new ID of 22 letters and digits, derived from a UUID.
 *
 * Source: chime-sdk-voice 2022-08-03, VoiceConnectorId, and the examples of the CLI reference.
 */
function newConnectorId({ newId }: Call): string {
  return BigInt(`0x${newId().replaceAll('-', '')}`)
    .toString(36)
    .padStart(22, '0')
    .slice(-22);
}
