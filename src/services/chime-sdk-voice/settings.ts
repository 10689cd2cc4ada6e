import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkVoiceApi } from '#model/generated/chime-sdk-voice.ts';
import type { ResourceKey } from '#store/resources.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { VOICE_SETTINGS, type VoiceSettingsDocument } from './kinds.ts';

type Operations = ServiceOperations<ChimeSdkVoiceApi>;

/** Source: Chime SDK API reference, UpdatePhoneNumberSettings: once every seven days. */
const CALLING_NAME_DAYS = 7;
const DAY_MS = 24 * 60 * 60_000;

/**
 * What an account has once: where call detail records go, and the name that calls bear.
 *
 * Source: chime-sdk-voice 2022-08-03, GetGlobalSettings, UpdateGlobalSettings, GetPhoneNumberSettings, UpdatePhoneNumberSettings.
 * Assumed: once for all regions.
 */
export const settingsOperations: Pick<
  Operations,
  'GetGlobalSettings' | 'UpdateGlobalSettings' | 'GetPhoneNumberSettings' | 'UpdatePhoneNumberSettings'
> = {
  GetGlobalSettings: {
    access: () => ({ action: 'chime:GetGlobalSettings', resources: ['*'] }),
    async handle(call) {
      const { cdrBucket } = await settings(call);
      return { VoiceConnector: omitUndefined({ CdrBucket: cdrBucket }) };
    },
  },

  /** Without a bucket there is none from then on. */
  UpdateGlobalSettings: {
    access: () => ({ action: 'chime:UpdateGlobalSettings', resources: ['*'] }),
    async handle(call, input) {
      await keep(call, omitUndefined({ ...(await settings(call)), cdrBucket: input.VoiceConnector.CdrBucket }));
      return {};
    },
  },

  GetPhoneNumberSettings: {
    access: () => ({ action: 'chime:GetPhoneNumberSettings', resources: ['*'] }),
    async handle(call) {
      const { callingName } = await settings(call);
      return omitUndefined({ CallingName: callingName?.name, CallingNameUpdatedTimestamp: callingName?.updatedAt });
    },
  },

  /**
   * Assumed: the code where it is too soon, and the text; that the same name again changes nothing; that it holds at once.
   * @throws BadRequestException the name was changed less than seven days ago
   */
  UpdatePhoneNumberSettings: {
    access: () => ({ action: 'chime:UpdatePhoneNumberSettings', resources: ['*'] }),
    async handle(call, input) {
      const before = await settings(call);
      const { callingName } = before;
      if (callingName?.name === input.CallingName) return {};
      if (callingName !== undefined && call.now < callingName.updatedAt + CALLING_NAME_DAYS * DAY_MS) {
        throw new AwsError('BadRequestException', `The calling name can be updated once every ${CALLING_NAME_DAYS} days.`);
      }
      await keep(call, { ...before, callingName: { name: input.CallingName, updatedAt: call.now } });
      return {};
    },
  },
};

async function settings(call: Call): Promise<VoiceSettingsDocument> {
  return (await call.tx.resources.get(VOICE_SETTINGS, keyOf(call)))?.document ?? {};
}

async function keep(call: Call, document: VoiceSettingsDocument): Promise<void> {
  const record = { ...keyOf(call), createdAt: call.now, updatedAt: call.now, tags: [], document };
  if ((await call.tx.resources.put(VOICE_SETTINGS, record)) === 'absent') await call.tx.resources.add(VOICE_SETTINGS, record);
}

/** No region: an account has them once. */
function keyOf({ accountId }: Call): ResourceKey {
  return { accountId, region: '', parent: '', id: 'settings' };
}
