import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkVoiceApi } from '#model/generated/chime-sdk-voice.ts';
import { CALLING_NAME_DAYS, isCallingNameFixed, putCallingName } from '../chime-kit/calling-name.ts';
import { requireOwnBuckets } from '../chime-kit/record-buckets.ts';
import { chimeSettingsOf, putChimeSettings } from '../chime-kit/settings.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import type { VoiceDeps } from './deps.ts';
import { AwsError } from './errors.ts';

/**
 * Settings of an account: the bucket for call detail records, and the name shown for outbound calls.
 *
 * Source: chime-sdk-voice 2022-08-03, GetGlobalSettings, UpdateGlobalSettings, GetPhoneNumberSettings, UpdatePhoneNumberSettings.
 * Assumed: the settings apply to all regions.
 */
export function settingsOperations({ ownedBuckets }: Pick<VoiceDeps, 'ownedBuckets'>) {
  return {
    GetGlobalSettings: {
      async handle(call) {
        const { CdrBucket } = await chimeSettingsOf(call);
        return { VoiceConnector: omitUndefined({ CdrBucket }) };
      },
    },

    /**
     * Replaces the stored bucket name. A request without a bucket removes the stored bucket name.
     *
     * @throws BadRequestException  the bucket does not exist in this AWS account
     */
    UpdateGlobalSettings: {
      async handle(call, input) {
        await requireOwnBuckets(call, ownedBuckets, input.VoiceConnector.CdrBucket);
        await putChimeSettings(call, omitUndefined({ ...(await chimeSettingsOf(call)), CdrBucket: input.VoiceConnector.CdrBucket }));
        return {};
      },
    },

    GetPhoneNumberSettings: {
      async handle(call) {
        const { CallingName, CallingNameUpdatedTimestamp } = await chimeSettingsOf(call);
        return omitUndefined({ CallingName, CallingNameUpdatedTimestamp });
      },
    },

    /**
     * Changes the calling name.
     *
     * Assumed: (1) The error code and the wording of the message for an update that is too early. (2) A request with the
     * stored name changes nothing. (3) The change is immediate.
     * @throws BadRequestException the name was changed less than seven days ago
     */
    UpdatePhoneNumberSettings: {
      async handle(call, { CallingName }) {
        const before = await chimeSettingsOf(call);
        if (before.CallingName === CallingName) return {};
        if (isCallingNameFixed(before, call.now)) {
          throw new AwsError('BadRequestException', `The calling name can be updated once every ${CALLING_NAME_DAYS} days.`);
        }
        await putCallingName(call, CallingName);
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkVoiceApi>>;
}
