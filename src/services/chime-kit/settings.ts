/** Settings of an AWS account that Amazon Chime and Chime SDK Voice share. They have no region. */
import type { Instant } from '#core/instant.ts';
import type { ResourceKey, ResourceKind, StoredDocument } from '#store/resources.ts';
import type { Call } from '../kit/operation.ts';
import { renamedMembers } from '../kit/renamed-members.ts';

/** Settings of an AWS account, for all its regions. */
export interface ChimeSettingsDocument {
  /** Bucket for the call detail records of Voice Connectors. */
  readonly CdrBucket?: string;
  /** Bucket for the call detail records of Amazon Chime Business Calling. */
  readonly BusinessCallingCdrBucket?: string;
  readonly CallingName?: string;
  readonly CallingNameUpdatedTimestamp?: Instant;
}

export const CHIME_SETTINGS: ResourceKind<ChimeSettingsDocument> = { name: 'voice-settings', upgrade: upgradeSettings };

/**
 * Converts a document that an earlier version of Belfry stored. In such a document, the member names are in camelCase.
 * The object `callingName` contains the calling name and its update time.
 */
function upgradeSettings({ callingName, ...stored }: StoredDocument): ChimeSettingsDocument {
  const withNewNames = renamedMembers({ cdrBucket: 'CdrBucket', name: 'CallingName', updatedAt: 'CallingNameUpdatedTimestamp' });
  return withNewNames({ ...stored, ...(callingName as StoredDocument | undefined) });
}

type SettingsCall = Pick<Call, 'tx' | 'accountId' | 'now'>;

/** Returns the settings of the caller's AWS account. They are empty at first. */
export async function chimeSettingsOf(call: SettingsCall): Promise<ChimeSettingsDocument> {
  return (await call.tx.resources.get(CHIME_SETTINGS, keyOf(call)))?.document ?? {};
}

/** Replaces the settings of the caller's AWS account. */
export async function putChimeSettings(call: SettingsCall, document: ChimeSettingsDocument): Promise<void> {
  const record = { ...keyOf(call), createdAt: call.now, updatedAt: call.now, tags: [], document };
  if ((await call.tx.resources.put(CHIME_SETTINGS, record)) === 'absent') await call.tx.resources.add(CHIME_SETTINGS, record);
}

function keyOf({ accountId }: SettingsCall): ResourceKey {
  return { accountId, region: '', parent: '', id: 'settings' };
}
