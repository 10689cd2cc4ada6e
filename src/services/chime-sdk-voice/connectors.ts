import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkVoiceApi, VoiceConnector, VoiceConnectorAwsRegion } from '#model/generated/chime-sdk-voice.ts';
import type { ResourceRecord } from '#store/resources.ts';
import { onNew, requireTags, withTags } from '../chime/tags.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import {
  addNew,
  connectorOrNotFound,
  everyOfAccount,
  limitExceeded,
  onConnector,
  onKind,
  pageOfKind,
  placeOf,
  update,
  voiceArn,
} from './found.ts';
import { VOICE_CONNECTOR, VOICE_CONNECTOR_GROUP, type VoiceConnectorDocument } from './kinds.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;

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

/** Source: AWS CLI reference, create-voice-connector, its example. Assumed: AWS's own form, though nothing of this server answers there. */
const HOST_SUFFIX = '.voiceconnector.chime.aws';

/**
 * Voice connectors: what SIP trunks of an account there are. Their calls are a matter of a SIP plane, of which there is none.
 *
 * Source: chime-sdk-voice 2022-08-03, CreateVoiceConnector … DeleteVoiceConnector.
 * Assumed: a connector belongs to the region of the control plane that made it, which `AwsRegion` need not be.
 */
export function connectorOperations({
  limits,
}: VoiceDeps): Pick<
  Operations,
  | 'CreateVoiceConnector'
  | 'GetVoiceConnector'
  | 'ListVoiceConnectors'
  | 'UpdateVoiceConnector'
  | 'DeleteVoiceConnector'
  | 'ListAvailableVoiceConnectorRegions'
> {
  return {
    /**
     * Source: Chime SDK API reference, CreateVoiceConnector: `AwsRegion` is us-east-1 by default.
     * Assumed: `NetworkType` is IPV4_ONLY by default.
     * @throws BadRequestException            a tag that cannot be
     * @throws ResourceLimitExceededException the account has as many connectors as it may in this region
     */
    CreateVoiceConnector: {
      access: (input, caller) => onNew(caller, 'chime:CreateVoiceConnector', voiceArn(VOICE_CONNECTOR, caller, '*'), input.Tags),
      async handle(call, input) {
        requireTags(input.Tags ?? []);
        if ((await call.tx.resources.count(VOICE_CONNECTOR, placeOf(call), limits.connectors)) >= limits.connectors) {
          throw limitExceeded(VOICE_CONNECTOR, limits.connectors);
        }
        const document: VoiceConnectorDocument = omitUndefined({
          name: input.Name,
          awsRegion: input.AwsRegion ?? 'us-east-1',
          requireEncryption: input.RequireEncryption,
          integrationType: input.IntegrationType,
          networkType: input.NetworkType ?? 'IPV4_ONLY',
          configurations: {},
          credentials: [],
        });
        const tags = withTags([], input.Tags ?? []);
        return { VoiceConnector: toConnector(await addNew(call, VOICE_CONNECTOR, { id: newConnectorId(call), tags, document })) };
      },
    },

    /** @throws NotFoundException no such connector */
    GetVoiceConnector: {
      access: (input, caller) => onConnector(caller, 'chime:GetVoiceConnector', input),
      handle: async (call, input) => ({ VoiceConnector: toConnector(await connectorOrNotFound(call, input)) }),
    },

    /** In the order of ids. @throws BadRequestException a token of another list */
    ListVoiceConnectors: {
      access: (_, caller) => onKind(caller, 'chime:ListVoiceConnectors', VOICE_CONNECTOR),
      async handle(call, input) {
        const { things, rest } = await pageOfKind(call, VOICE_CONNECTOR, input);
        return { VoiceConnectors: things.map(toConnector), ...rest };
      },
    },

    /** @throws NotFoundException no such connector */
    UpdateVoiceConnector: {
      access: (input, caller) => onConnector(caller, 'chime:UpdateVoiceConnector', input),
      async handle(call, input) {
        const before = await connectorOrNotFound(call, input);
        const changes = { name: input.Name, requireEncryption: input.RequireEncryption };
        return { VoiceConnector: toConnector(await update(call, VOICE_CONNECTOR, before, changes)) };
      },
    },

    /**
     * Removes a connector, and with it all that was put on it. A SIP rule of its host name stays. Requirement RES-1.
     *
     * Source: chime-sdk-voice 2022-08-03, ErrorCode. There are no numbers, so there is no `PhoneNumberAssociationsExist`.
     * Assumed: the text.
     * @throws NotFoundException no such connector
     * @throws ConflictException it is in a group; its `Code` is VoiceConnectorGroupAssociationsExist
     */
    DeleteVoiceConnector: {
      access: (input, caller) => onConnector(caller, 'chime:DeleteVoiceConnector', input),
      async handle(call, input) {
        const { id } = await connectorOrNotFound(call, input);
        const groups = await everyOfAccount(call.tx, call, VOICE_CONNECTOR_GROUP);
        if (groups.some(({ document }) => document.items.some((item) => item.VoiceConnectorId === id))) {
          throw groupAssociationsExist(`Voice Connector ${id} is in a Voice Connector group.`);
        }
        await call.tx.resources.remove(VOICE_CONNECTOR, { ...placeOf(call), id });
        return {};
      },
    },

    ListAvailableVoiceConnectorRegions: {
      access: () => ({ action: 'chime:ListAvailableVoiceConnectorRegions', resources: ['*'] }),
      handle: async () => ({ VoiceConnectorRegions: VOICE_REGIONS }),
    },
  };
}

/** Source: chime-sdk-voice 2022-08-03, ErrorCode. Assumed: it is the `Code` of the ConflictException. */
export function groupAssociationsExist(message: string): AwsError {
  return new AwsError('ConflictException', message, { Code: 'VoiceConnectorGroupAssociationsExist' });
}

/** The id of the connector whose outbound host name this may be; undefined where it is the name of none. */
export function connectorIdOfHost(host: string): string | undefined {
  return host.endsWith(HOST_SUFFIX) ? host.slice(0, -HOST_SUFFIX.length) : undefined;
}

/** 22 letters and digits, as unlike as UUIDs. Source: chime-sdk-voice 2022-08-03, VoiceConnectorId, and the examples of the CLI reference. */
function newConnectorId({ newId }: Call): string {
  return BigInt(`0x${newId().replaceAll('-', '')}`)
    .toString(36)
    .padStart(22, '0')
    .slice(-22);
}

function toConnector(record: ResourceRecord<VoiceConnectorDocument>): VoiceConnector {
  const { id, document, createdAt, updatedAt } = record;
  return omitUndefined({
    VoiceConnectorId: id,
    AwsRegion: document.awsRegion,
    Name: document.name,
    OutboundHostName: `${id}${HOST_SUFFIX}`,
    RequireEncryption: document.requireEncryption,
    CreatedTimestamp: createdAt,
    UpdatedTimestamp: updatedAt,
    VoiceConnectorArn: voiceArn(VOICE_CONNECTOR, record, id),
    IntegrationType: document.integrationType,
    NetworkType: document.networkType,
  });
}
