import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkIdentityApi, GetAppInstanceRetentionSettingsResponse } from '#model/generated/chime-sdk-identity.ts';
import type { AppInstanceDocument } from '../chime/app-instances.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { onResource } from '../kit/resource-access.ts';
import { findOrThrow } from '../kit/resource-kind.ts';
import { APP_INSTANCES } from './kinds.ts';

/** Source: Chime SDK Developer Guide, "Managing message retention": for 30 days after the period was set, messages can be restored. */
const GRACE_MS = 30 * 24 * 60 * 60_000;

/**
 * Retention of messages in the channels of an app instance.
 *
 * Source: chime-sdk-identity 2021-04-20, PutAppInstanceRetentionSettings, GetAppInstanceRetentionSettings.
 * Assumed: InitiateDeletionTimestamp is the end of the 30 days, and absent if messages never expire.
 */
export const retentionSettingsOperations = {
  /**
   * Sets the retention. Without `RetentionDays` messages never expire.
   *
   * Source: the same page: `ChannelRetentionSettings={}` turns retention off.
   * Assumed: an absent `ChannelRetentionSettings` also turns retention off; an unchanged period does not restart the 30 days; the app
   * instance's own timestamp does not change.
   * @throws ForbiddenException the app instance does not exist
   */
  PutAppInstanceRetentionSettings: {
    access: onResource(APP_INSTANCES),
    async handle(call, { AppInstanceArn, AppInstanceRetentionSettings }) {
      const found = await findOrThrow(call, APP_INSTANCES, { AppInstanceArn });
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
