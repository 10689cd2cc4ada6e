import type { VoiceConnectorItem } from '#model/generated/chime-sdk-voice.ts';
import type { Call, Caller, DeclaredAccess } from '../kit/operation.ts';
import { type Change, resource } from '../kit/resource.ts';
import { arnOf } from '../kit/resource-access.ts';
import { placeIn } from '../kit/resource-kind.ts';
import { findInAccount, onEach } from './access.ts';
import { refuseWithNumbers } from './connector-numbers.ts';
import { groupAssociationsExist } from './connectors.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { VOICE_CONNECTOR, VOICE_CONNECTOR_GROUP, type VoiceConnectorGroupDocument } from './kinds.ts';

type Items = readonly VoiceConnectorItem[];
type GroupChange = Change<VoiceConnectorGroupDocument, unknown>;

/**
 * Groups of Voice Connectors. The Voice Connectors of a group may be in different regions of the account. On AWS, an
 * inbound telephone call goes to the first Voice Connector of the group that can take the call. Requirement RES-1.
 *
 * Source: chime-sdk-voice 2022-08-03, CreateVoiceConnectorGroup … DeleteVoiceConnectorGroup. Chime SDK API reference,
 * DeleteVoiceConnectorGroup: the items of the group must be removed first.
 * Assumed: (1) `CallDistributionType` is PriorityWeightedDistribution by default. (2) An update without a distribution
 * does not change the stored distribution.
 */
export function groupOperations({ limits }: VoiceDeps) {
  const { connectorsInGroup: most } = limits;
  return resource(VOICE_CONNECTOR_GROUP, {
    limit: { most: limits.groups, per: 'account' },
    create: {
      operation: 'CreateVoiceConnectorGroup',
      access: (input, caller) => onItems(caller, input.VoiceConnectorItems ?? [], '*'),
      document: (_, { Name, VoiceConnectorItems = [], CallDistributionType = 'PriorityWeightedDistribution' }) => ({
        Name,
        VoiceConnectorItems: withPriorities(VoiceConnectorItems),
        CallDistributionType,
      }),
      guard: [
        'limit',
        (_, { document }) => {
          if (document.VoiceConnectorItems.length > most) throw VOICE_CONNECTOR.conventions.limitExceeded(VOICE_CONNECTOR.title, most);
        },
        requireItems,
      ],
    },
    read: { operation: 'GetVoiceConnectorGroup' },
    update: {
      operation: 'UpdateVoiceConnectorGroup',
      access: (input, caller) => onItems(caller, input.VoiceConnectorItems, input.VoiceConnectorGroupId),
      document: (_, { Name, VoiceConnectorItems, CallDistributionType }, { document }) => ({
        Name,
        VoiceConnectorItems: withPriorities(VoiceConnectorItems),
        CallDistributionType: CallDistributionType ?? document.CallDistributionType,
      }),
      guard: [
        (_, { document }) => {
          if (document.VoiceConnectorItems.length <= most) return;
          throw new AwsError('BadRequestException', `A Voice Connector group can have at most ${most} Voice Connectors.`);
        },
        requireItems,
      ],
    },
    delete: { operation: 'DeleteVoiceConnectorGroup', guard: [refuseWithItems, refuseWithNumbers('VoiceConnectorGroupId')] },
    list: { operation: 'ListVoiceConnectorGroups' },
  });
}

/**
 * Requires the action on each Voice Connector that a request names. If the request names no Voice Connector, requires
 * the action on the group.
 *
 * Source: the service authorization reference lists the resource type voice-connector, which is not required, and no
 * resource type for groups.
 * Assumed: a request without Voice Connectors requires the action on the group's own ARN, so that a policy statement
 * can deny the request.
 */
function onItems(caller: Caller, items: Items, groupId: string): DeclaredAccess {
  const ids = items.map(({ VoiceConnectorId }) => VoiceConnectorId);
  return onEach(caller, VOICE_CONNECTOR, ids, arnOf(VOICE_CONNECTOR_GROUP, { ...placeIn(caller), id: groupId }));
}

/** Assumed: the priority is 1 by default. */
function withPriorities(items: Items): Items {
  return items.map(({ VoiceConnectorId, Priority = 1 }) => ({ VoiceConnectorId, Priority }));
}

/**
 * Checks that the Voice Connectors of a group exist and differ. Assumed: the wording of the error messages.
 *
 * @throws BadRequestException a Voice Connector occurs twice
 * @throws NotFoundException   a Voice Connector does not exist
 */
async function requireItems(call: Call, { document }: GroupChange): Promise<void> {
  const seen = new Set<string>();
  for (const { VoiceConnectorId: id } of document.VoiceConnectorItems) {
    if (seen.has(id)) throw new AwsError('BadRequestException', `Duplicate Voice Connector '${id}'`);
    seen.add(id);
    const found = await findInAccount(call.tx, call, VOICE_CONNECTOR, id);
    if (found === undefined) throw VOICE_CONNECTOR.conventions.notFound(VOICE_CONNECTOR.title, id);
  }
}

/** @throws ConflictException the group has Voice Connectors */
function refuseWithItems(_: Call, { before, document }: GroupChange): void {
  if (document.VoiceConnectorItems.length > 0)
    throw groupAssociationsExist(`Voice Connector group '${before?.id}' still has Voice Connectors.`);
}
