import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeApi, GetCDRBucketResponse } from '#model/generated/chime.ts';
import { requireOwnBuckets } from '../chime-kit/record-buckets.ts';
import { type ChimeSettingsDocument, chimeSettingsOf, putChimeSettings } from '../chime-kit/settings.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import type { ChimeDeps } from './deps.ts';

/**
 * Buckets for call detail records of an AWS account. Chime SDK Voice has the same settings.
 *
 * Source: chime 2018-05-01, GetGlobalSettings, UpdateGlobalSettings; chime.md §1, §6. Assumed: inputs and outputs of the actions of the console.
 */
export function globalSettingsOperations({ ownedBuckets }: Pick<ChimeDeps, 'ownedBuckets'>) {
  return {
    /** A group is absent until it is set. */
    GetGlobalSettings: {
      async handle(call) {
        const { BusinessCallingCdrBucket, CdrBucket } = await chimeSettingsOf(call);
        return omitUndefined({
          BusinessCalling: BusinessCallingCdrBucket === undefined ? undefined : { CdrBucket: BusinessCallingCdrBucket },
          VoiceConnector: CdrBucket === undefined ? undefined : { CdrBucket },
        });
      },
    },

    /**
     * Changes the groups of the request. A group without a bucket is cleared. Source: AWS provider of Terraform, which deletes the settings so.
     * Assumed: (1) absent groups remain. (2) The bucket must belong to the AWS account.
     *
     * @throws BadRequestException  a bucket does not exist in this AWS account
     */
    UpdateGlobalSettings: {
      async handle(call, { BusinessCalling, VoiceConnector }) {
        await requireOwnBuckets(call, ownedBuckets, BusinessCalling?.CdrBucket, VoiceConnector?.CdrBucket);
        const before = await chimeSettingsOf(call);
        await putChimeSettings(
          call,
          omitUndefined({
            ...before,
            BusinessCallingCdrBucket: BusinessCalling === undefined ? before.BusinessCallingCdrBucket : BusinessCalling.CdrBucket,
            CdrBucket: VoiceConnector === undefined ? before.CdrBucket : VoiceConnector.CdrBucket,
          }),
        );
        return {};
      },
    },

    /** Returns the bucket of Amazon Chime itself: that of `BusinessCalling`. */
    GetCDRBucket: {
      handle: async (call) => toCdrBucket(await chimeSettingsOf(call)),
    },

    /**
     * Sets the bucket of Amazon Chime itself. Without a name, clears it.
     *
     * @throws BadRequestException  the bucket does not exist in this AWS account
     */
    UpdateCDRSettings: {
      async handle(call, { BucketName }) {
        await requireOwnBuckets(call, ownedBuckets, BucketName);
        const { BusinessCallingCdrBucket: _before, ...rest } = await chimeSettingsOf(call);
        const settings = { ...rest, ...(BucketName !== undefined && { BusinessCallingCdrBucket: BucketName }) };
        await putChimeSettings(call, settings);
        return toCdrBucket(settings);
      },
    },
  } satisfies Partial<ServiceOperations<ChimeApi>>;
}

function toCdrBucket({ BusinessCallingCdrBucket: BucketName }: ChimeSettingsDocument): GetCDRBucketResponse {
  return BucketName === undefined ? {} : { CDRBucket: { BucketName, IsUsed: true } };
}
