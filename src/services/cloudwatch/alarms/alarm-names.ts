/** Names and ARNs of alarms. */
import { type Arn, arn, parseArn } from '#core/arn.ts';
import { AwsError } from '../errors.ts';
import type { AlarmKey, AlarmPlace } from './tables/alarms.ts';

const RESOURCE = 'alarm:';

/** Returns the ARN of an alarm. Source: Service Authorization Reference, "Amazon CloudWatch", alarm. */
export function alarmArn({ accountId, region, name }: AlarmKey): Arn {
  return arn('cloudwatch', region, accountId, `${RESOURCE}${name}`);
}

/** Returns the alarm that an ARN names, or undefined if it is the ARN of something else. */
export function parseAlarmArn(text: string): AlarmKey | undefined {
  const parts = parseArn(text);
  if (parts?.service !== 'cloudwatch' || !parts.resource.startsWith(RESOURCE)) return undefined;
  const key = { accountId: parts.accountId as AlarmKey['accountId'], region: parts.region, name: parts.resource.slice(RESOURCE.length) };
  return key.name !== '' && alarmArn(key) === text ? key : undefined;
}

/**
 * Returns the name of an alarm in a place from its name or its ARN. Returns undefined for the ARN of another place.
 *
 * Assumed: a name that begins with `arn:` is an ARN.
 */
export function localName(reference: string, { accountId, region }: AlarmPlace): string | undefined {
  if (!reference.startsWith('arn:')) return reference;
  const key = parseAlarmArn(reference);
  return key?.accountId === accountId && key.region === region ? key.name : undefined;
}

/** Characters that no name contains: control characters of ASCII. Source: cloudwatch 2010-08-01, AlarmName. */
const CONTROL = /[\u0000-\u001f\u007f]/;

/** @throws ValidationException  the name contains a control character. Assumed: the message */
export function requireAlarmName(name: string): void {
  if (CONTROL.test(name)) throw new AwsError('ValidationException', 'AlarmName must not contain ASCII control characters.');
}
