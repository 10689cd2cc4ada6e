import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkIdentityApi, GetAppInstanceRetentionSettingsResponse } from '#model/generated/chime-sdk-identity.ts';
import type { AppInstanceDocument } from '../chime-kit/app-instances.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { onResource } from '../kit/resource-access.ts';
import { findOrThrow } from '../kit/resource-kind.ts';
import { refuseChime } from './chime-owned.ts';
import { APP_INSTANCES } from './kinds.ts';

/**
 * Grace period after a change of the retention period. During this time, no messages are deleted. Source: Chime SDK
 * Developer Guide, "Managing message retention": messages can be restored for 30 days after the period was set.
 */
const GRACE_MS = 30 * DAY_MS;

/**
 * Retention of messages in the channels of an app instance.
 *
 * Source: chime-sdk-identity 2021-04-20, PutAppInstanceRetentionSettings, GetAppInstanceRetentionSettings.
 * Assumed: InitiateDeletionTimestamp is the end of the 30 days (`GRACE_MS`). It is absent if messages never expire.
 */
export const retentionSettingsOperations = {
  /**
   * Sets the retention period. Without `RetentionDays`, messages never expire.
   *
   * Source: Chime SDK Developer Guide, "Managing message retention": `ChannelRetentionSettings={}` turns retention off.
   * Assumed: (1) An absent `ChannelRetentionSettings` also turns retention off. (2) A request that does not change the
   * period does not restart the 30 days (`GRACE_MS`). (3) The app instance's `LastUpdatedTimestamp` does not change.
   * @throws ForbiddenException the app instance does not exist, or belongs to Amazon Chime, whose PutRetentionSettings sets its retention
   */
  PutAppInstanceRetentionSettings: {
    access: onResource(APP_INSTANCES),
    async handle(call, { AppInstanceArn, AppInstanceRetentionSettings }) {
      const found = await findOrThrow(call, APP_INSTANCES, { AppInstanceArn });
      refuseChime(call, { before: found });
      const document = withRetention(found.document, AppInstanceRetentionSettings.ChannelRetentionSettings?.RetentionDays, call.now);
      await call.tx.resources.put(APP_INSTANCES, { ...found, document });
      return toSettings(document);
    },
  },

  /** @throws ForbiddenException the app instance does not exist */
  GetAppInstanceRetentionSettings: {
    access: onResource(APP_INSTANCES),
    handle: async (call, { AppInstanceArn }) => toSettings((await findOrThrow(call, APP_INSTANCES, { AppInstanceArn })).document),
  },
} satisfies Partial<ServiceOperations<ChimeSdkIdentityApi>>;

function withRetention(document: AppInstanceDocument, days: number | undefined, now: Instant): AppInstanceDocument {
  const { AppInstanceRetentionSettings: before, retentionSetAt, ...rest } = document;
  if (days === undefined) return rest;
  return {
    ...rest,
    AppInstanceRetentionSettings: { ChannelRetentionSettings: { RetentionDays: days } },
    retentionSetAt: days === before?.ChannelRetentionSettings?.RetentionDays ? (retentionSetAt ?? now) : now,
  };
}

function toSettings({ AppInstanceRetentionSettings, retentionSetAt }: AppInstanceDocument): GetAppInstanceRetentionSettingsResponse {
  return omitUndefined({
    AppInstanceRetentionSettings: AppInstanceRetentionSettings ?? { ChannelRetentionSettings: {} },
    InitiateDeletionTimestamp: retentionSetAt === undefined ? undefined : instant(retentionSetAt + GRACE_MS),
  });
}
