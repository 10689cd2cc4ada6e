import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { CloudtrailApi } from '#model/generated/cloudtrail.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { digestKeys } from './tables/digest-keys.ts';

/**
 * Extension of the requested range at both ends. Clients read digests until an hour after the end of their range, but
 * request keys only for the range (record.md §A5).
 */
const MARGIN_MS = 2 * HOUR_MS;

export const publicKeyOperations = {
  /**
   * Returns the public keys of the region's digests that are valid in a range of time, in one page.
   * The range ends now and begins 24 hours before its end by default.
   *
   * @throws InvalidTimeRangeException  the start is after the end
   * @throws InvalidTokenException      the request has a token, because no response has one (`service.ts`)
   * Source: CloudTrail API reference, ListPublicKeys; requirement LOG-14. Assumed: the messages, and the default of the start
   * if the request has only an end.
   */
  ListPublicKeys: {
    async handle({ tx, now, region }, { EndTime = now, StartTime = instant(EndTime - DAY_MS) }) {
      if (StartTime > EndTime) throw new AwsError('InvalidTimeRangeException', 'The start time must not be after the end time.');
      const keys = await tx.of(digestKeys).overlapping(region, instant(StartTime - MARGIN_MS), instant(EndTime + MARGIN_MS));
      return {
        PublicKeyList: keys.map(({ publicKey, fingerprint, validFrom, validUntil }) => ({
          Value: publicKey,
          ValidityStartTime: validFrom,
          ValidityEndTime: validUntil,
          Fingerprint: fingerprint,
        })),
      };
    },
  },
} satisfies Partial<ServiceOperations<CloudtrailApi>>;
