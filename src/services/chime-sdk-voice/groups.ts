import type { ChimeSdkVoiceApi, VoiceConnectorGroup, VoiceConnectorItem } from '#model/generated/chime-sdk-voice.ts';
import type { ResourceRecord } from '#store/resources.ts';
import type { Access, Call, Caller, ServiceOperations } from '../kit/operation.ts';
import { groupAssociationsExist } from './connectors.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import {
  addNew,
  everyOfAccount,
  findAnywhere,
  limitExceeded,
  notFound,
  onEach,
  onKind,
  onResource,
  orNotFound,
  pageOfKind,
  placeOf,
  update,
  voiceArn,
} from './found.ts';
import { VOICE_CONNECTOR, VOICE_CONNECTOR_GROUP, type VoiceConnectorGroupDocument } from './kinds.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;
type Items = readonly VoiceConnectorItem[];

/**
 * Groups of voice connectors, of whatever regions of the account: a call that comes in goes to the first that can take it. Requirement RES-1.
 *
 * Source: chime-sdk-voice 2022-08-03, CreateVoiceConnectorGroup … DeleteVoiceConnectorGroup.
 */
export function groupOperations({
  limits,
}: VoiceDeps): Pick<
  Operations,
  | 'CreateVoiceConnectorGroup'
  | 'GetVoiceConnectorGroup'
  | 'ListVoiceConnectorGroups'
  | 'UpdateVoiceConnectorGroup'
  | 'DeleteVoiceConnectorGroup'
> {
  return {
    /**
     * Assumed: PriorityWeightedDistribution by default.
     * @throws NotFoundException              a connector that is not there
     * @throws BadRequestException            a connector twice
     * @throws ResourceLimitExceededException more connectors than a group, or groups than the account may have
     */
    CreateVoiceConnectorGroup: {
      access: (input, caller) => onItems(caller, 'chime:CreateVoiceConnectorGroup', input.VoiceConnectorItems ?? [], '*'),
      async handle(call, input) {
        if ((await everyOfAccount(call.tx, call, VOICE_CONNECTOR_GROUP)).length >= limits.groups) {
          throw limitExceeded(VOICE_CONNECTOR_GROUP, limits.groups);
        }
        const given = input.VoiceConnectorItems ?? [];
        if (given.length > limits.connectorsInGroup) throw limitExceeded(VOICE_CONNECTOR, limits.connectorsInGroup);
        const document: VoiceConnectorGroupDocument = {
          name: input.Name,
          items: await toItems(call, given),
          callDistributionType: input.CallDistributionType ?? 'PriorityWeightedDistribution',
        };
        return { VoiceConnectorGroup: toGroup(await addNew(call, VOICE_CONNECTOR_GROUP, { id: call.newId(), document })) };
      },
    },

    /** @throws NotFoundException no such group */
    GetVoiceConnectorGroup: {
      access: (input, caller) => onResource(caller, 'chime:GetVoiceConnectorGroup', VOICE_CONNECTOR_GROUP, input.VoiceConnectorGroupId),
      async handle(call, input) {
        return { VoiceConnectorGroup: toGroup(await orNotFound(call, VOICE_CONNECTOR_GROUP, input.VoiceConnectorGroupId)) };
      },
    },

    /** In the order of ids. @throws BadRequestException a token of another list */
    ListVoiceConnectorGroups: {
      access: (_, caller) => onKind(caller, 'chime:ListVoiceConnectorGroups', VOICE_CONNECTOR_GROUP),
      async handle(call, input) {
        const { things, rest } = await pageOfKind(call, VOICE_CONNECTOR_GROUP, input);
        return { VoiceConnectorGroups: things.map(toGroup), ...rest };
      },
    },

    /**
     * The items take the place of those before. Assumed: without a distribution the one before stays.
     * @throws NotFoundException   no such group, a connector that is not there
     * @throws BadRequestException a connector twice, more than a group may have
     */
    UpdateVoiceConnectorGroup: {
      access: (input, caller) => onItems(caller, 'chime:UpdateVoiceConnectorGroup', input.VoiceConnectorItems, input.VoiceConnectorGroupId),
      async handle(call, input) {
        const before = await orNotFound(call, VOICE_CONNECTOR_GROUP, input.VoiceConnectorGroupId);
        if (input.VoiceConnectorItems.length > limits.connectorsInGroup) {
          throw new AwsError('BadRequestException', `A Voice Connector group can have ${limits.connectorsInGroup} Voice Connectors.`);
        }
        const after = await update(call, VOICE_CONNECTOR_GROUP, before, {
          name: input.Name,
          items: await toItems(call, input.VoiceConnectorItems),
          callDistributionType: input.CallDistributionType ?? before.document.callDistributionType,
        });
        return { VoiceConnectorGroup: toGroup(after) };
      },
    },

    /**
     * Source: Chime SDK API reference, DeleteVoiceConnectorGroup: its items must be removed before.
     * @throws NotFoundException no such group
     * @throws ConflictException it has connectors
     */
    DeleteVoiceConnectorGroup: {
      access: (input, caller) => onResource(caller, 'chime:DeleteVoiceConnectorGroup', VOICE_CONNECTOR_GROUP, input.VoiceConnectorGroupId),
      async handle(call, input) {
        const { id, document } = await orNotFound(call, VOICE_CONNECTOR_GROUP, input.VoiceConnectorGroupId);
        if (document.items.length > 0) throw groupAssociationsExist(`Voice Connector group ${id} has Voice Connectors.`);
        await call.tx.resources.remove(VOICE_CONNECTOR_GROUP, { ...placeOf(call), id });
        return {};
      },
    },
  };
}

/**
 * Asks for every connector of a group; where it has none, for the group.
 *
 * Source: service authorization reference: voice-connector is not required, and groups are no resource type.
 * Assumed: a group's own ARN where nothing else is named, so that a statement that denies it is heard.
 */
function onItems(caller: Caller, action: Access['action'], items: Items, groupId: string): Access {
  const ids = items.map(({ VoiceConnectorId }) => VoiceConnectorId);
  return onEach(caller, action, VOICE_CONNECTOR, ids, voiceArn(VOICE_CONNECTOR_GROUP, caller, groupId));
}

/** Assumed: the priority is 1 where none is given; the texts. */
async function toItems(call: Call, items: Items): Promise<Items> {
  const seen = new Set<string>();
  for (const { VoiceConnectorId } of items) {
    if (seen.has(VoiceConnectorId)) throw new AwsError('BadRequestException', `Duplicate Voice Connector: ${VoiceConnectorId}`);
    seen.add(VoiceConnectorId);
    if ((await findAnywhere(call.tx, call, VOICE_CONNECTOR, VoiceConnectorId)) === undefined)
      throw notFound(VOICE_CONNECTOR, VoiceConnectorId);
  }
  return items.map(({ VoiceConnectorId, Priority = 1 }) => ({ VoiceConnectorId, Priority }));
}

function toGroup(record: ResourceRecord<VoiceConnectorGroupDocument>): VoiceConnectorGroup {
  const { id, document, createdAt, updatedAt } = record;
  return {
    VoiceConnectorGroupId: id,
    Name: document.name,
    VoiceConnectorItems: document.items,
    CreatedTimestamp: createdAt,
    UpdatedTimestamp: updatedAt,
    VoiceConnectorGroupArn: voiceArn(VOICE_CONNECTOR_GROUP, record, id),
    CallDistributionType: document.callDistributionType,
  };
}
