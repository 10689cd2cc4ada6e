/** Default calling name of an AWS account, which outbound calls show. Amazon Chime and Chime SDK Voice share it. */
import { DAY_MS } from '#core/duration.ts';
import type { Instant } from '#core/instant.ts';
import type { Call } from '../kit/operation.ts';
import { type ChimeSettingsDocument, chimeSettingsOf, putChimeSettings } from './settings.ts';

/**
 * Minimum number of days between two changes of the calling name. Source: Chime API reference and Chime SDK API reference,
 * UpdatePhoneNumberSettings: once every seven days.
 */
export const CALLING_NAME_DAYS = 7;

/** Reports whether the calling name was changed too recently to change it again. */
export function isCallingNameFixed({ CallingNameUpdatedTimestamp: updatedAt }: ChimeSettingsDocument, now: Instant): boolean {
  return updatedAt !== undefined && now < updatedAt + CALLING_NAME_DAYS * DAY_MS;
}

/** Stores the calling name and the time of the change. The change is immediate. */
export async function putCallingName(call: Pick<Call, 'tx' | 'accountId' | 'now'>, CallingName: string): Promise<void> {
  await putChimeSettings(call, { ...(await chimeSettingsOf(call)), CallingName, CallingNameUpdatedTimestamp: call.now });
}
