import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkIdentityApi, GetAppInstanceRetentionSettingsResponse } from '#model/generated/chime-sdk-identity.ts';
import { APP_INSTANCE, type AppInstanceDocument } from '../chime/app-instances.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { onArns } from './access.ts';
import { appInstanceOrForbidden } from './found.ts';

type Operations = ServiceOperations<ChimeSdkIdentityApi>;

/** Source: Chime SDK Developer Guide, "Managing message retention": for 30 days after the period was set, messages can be restored. */
const GRACE_MS = 30 * 24 * 60 * 60_000;

/**
 * How long an app instance keeps the messages of its channels.
 *
 * Source: chime-sdk-identity 2021-04-20, PutAppInstanceRetentionSettings, GetAppInstanceRetentionSettings.
 * Assumed: InitiateDeletionTimestamp is the end of the 30 days, and absent where messages are kept for ever.
 */
export const retentionSettingsOperations: Pick<Operations, 'PutAppInstanceRetentionSettings' | 'GetAppInstanceRetentionSettings'> = {
  /**
   * Without `RetentionDays` messages are kept for ever.
   *
   * Source: the same page: `ChannelRetentionSettings={}` turns retention off.
   * Assumed: so does its absence; the period that is in force already does not begin the 30 days anew; the app instance is not updated by it.
   * @throws ForbiddenException no such app instance
   */
  PutAppInstanceRetentionSettings: {
    access: (input, caller) => onArns(caller, 'chime:PutAppInstanceRetentionSettings', input.AppInstanceArn),
    async handle(call, input) {
      const found = await appInstanceOrForbidden(call, input.AppInstanceArn);
      const document = withRetention(found.document, input.AppInstanceRetentionSettings.ChannelRetentionSettings?.RetentionDays, call.now);
      await call.tx.resources.put(APP_INSTANCE, { ...found, document });
      return toSettings(document);
    },
  },

  /** @throws ForbiddenException no such app instance */
  GetAppInstanceRetentionSettings: {
    access: (input, caller) => onArns(caller, 'chime:GetAppInstanceRetentionSettings', input.AppInstanceArn),
    handle: async (call, input) => toSettings((await appInstanceOrForbidden(call, input.AppInstanceArn)).document),
  },
};

function withRetention(document: AppInstanceDocument, days: number | undefined, now: Instant): AppInstanceDocument {
  const { channelRetentionDays, retentionSetAt, ...rest } = document;
  if (days === undefined) return rest;
  return { ...rest, channelRetentionDays: days, retentionSetAt: days === channelRetentionDays ? (retentionSetAt ?? now) : now };
}

function toSettings({ channelRetentionDays, retentionSetAt }: AppInstanceDocument): GetAppInstanceRetentionSettingsResponse {
  return omitUndefined({
    AppInstanceRetentionSettings: { ChannelRetentionSettings: omitUndefined({ RetentionDays: channelRetentionDays }) },
    InitiateDeletionTimestamp: retentionSetAt === undefined ? undefined : instant(retentionSetAt + GRACE_MS),
  });
}
