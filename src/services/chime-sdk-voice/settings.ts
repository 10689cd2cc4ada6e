import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkVoiceApi } from '#model/generated/chime-sdk-voice.ts';
import type { ResourceKey } from '#store/resources.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { VOICE_SETTINGS, type VoiceSettingsDocument } from './kinds.ts';

/** Source: Chime SDK API reference, UpdatePhoneNumberSettings: once every seven days. */
const CALLING_NAME_DAYS = 7;
const DAY_MS = 24 * 60 * 60_000;

/**
 * Settings of an account: the bucket for call detail records, and the name shown for outbound calls.
 *
 * Source: chime-sdk-voice 2022-08-03, GetGlobalSettings, UpdateGlobalSettings, GetPhoneNumberSettings, UpdatePhoneNumberSettings.
 * Assumed: they apply to all regions.
 */
export const settingsOperations = {
  GetGlobalSettings: {
    async handle(call) {
      const { CdrBucket } = await settingsOf(call);
      return { VoiceConnector: omitUndefined({ CdrBucket }) };
    },
  },

  /** Replaces the bucket. A request without a bucket removes it. */
  UpdateGlobalSettings: {
    async handle(call, input) {
      await store(call, omitUndefined({ ...(await settingsOf(call)), CdrBucket: input.VoiceConnector.CdrBucket }));
      return {};
    },
  },

  GetPhoneNumberSettings: {
    async handle(call) {
      const { CallingName, CallingNameUpdatedTimestamp } = await settingsOf(call);
      return omitUndefined({ CallingName, CallingNameUpdatedTimestamp });
    },
  },

  /**
   * Assumed: the code and the message for an update that is too early; the same name changes nothing; the change is immediate.
   * @throws BadRequestException the name was changed less than seven days ago
   */
  UpdatePhoneNumberSettings: {
    async handle(call, { CallingName }) {
      const before = await settingsOf(call);
      const { CallingNameUpdatedTimestamp: updatedAt } = before;
      if (before.CallingName === CallingName) return {};
      if (updatedAt !== undefined && call.now < updatedAt + CALLING_NAME_DAYS * DAY_MS) {
        throw new AwsError('BadRequestException', `The calling name can be updated once every ${CALLING_NAME_DAYS} days.`);
      }
      await store(call, { ...before, CallingName, CallingNameUpdatedTimestamp: call.now });
      return {};
    },
  },
} satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;

async function settingsOf(call: Call): Promise<VoiceSettingsDocument> {
  return (await call.tx.resources.get(VOICE_SETTINGS, keyOf(call)))?.document ?? {};
}

async function store(call: Call, document: VoiceSettingsDocument): Promise<void> {
  const record = { ...keyOf(call), createdAt: call.now, updatedAt: call.now, tags: [], document };
  if ((await call.tx.resources.put(VOICE_SETTINGS, record)) === 'absent') await call.tx.resources.add(VOICE_SETTINGS, record);
}

/** Returns the key of the settings. It has no region, because the settings apply to all regions. */
function keyOf({ accountId }: Call): ResourceKey {
  return { accountId, region: '', parent: '', id: 'settings' };
}
