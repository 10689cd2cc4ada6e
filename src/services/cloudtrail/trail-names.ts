/** Names and ARNs of trails. */
import { isIPv4 } from 'node:net';
import { type AccountId, type Arn, arn, isAccountId, parseArn } from '#core/arn.ts';
import { AwsError } from './errors.ts';
import type { TrailName } from './tables/trails.ts';

/** Bounds of the length of a name. Source: CloudTrail API reference, CreateTrail, Name. */
const LENGTH = { min: 3, max: 128 } as const;

const LETTER_OR_DIGIT = /^[A-Za-z0-9]$/;
const CHARACTERS = /^[A-Za-z0-9._-]*$/;
const ADJACENT = /[._-]{2}/;

/** Returns the ARN of a trail. */
export function trailArn({ accountId, homeRegion, name }: TrailName): Arn {
  return arn('cloudtrail', homeRegion, accountId, `trail/${name}`);
}

/** Reports whether a request names a trail by its ARN. */
export function isArn(reference: string): boolean {
  return reference.startsWith('arn:');
}

/**
 * Returns the trail that an ARN names.
 *
 * @throws CloudTrailARNInvalidException  the string is not the ARN of a trail
 * Assumed: the message.
 */
export function parseTrailArn(text: string): TrailName {
  const parts = parseArn(text);
  const name = parts?.resource.startsWith('trail/') ? parts.resource.slice('trail/'.length) : '';
  if (parts !== undefined && isAccountId(parts.accountId) && parts.region !== '' && nameProblem(name) === undefined) {
    const parsed = { accountId: parts.accountId as AccountId, homeRegion: parts.region, name };
    if (parts.service === 'cloudtrail' && trailArn(parsed) === text) return parsed;
  }
  throw new AwsError(
    'CloudTrailARNInvalidException',
    `The ARN '${text}' is invalid. The following is the format of a trail ARN: arn:aws:cloudtrail:us-east-2:123456789012:trail/MyTrail`,
  );
}

/** @throws InvalidTrailNameException  the name breaks a rule. The first broken rule of the list decides the message. */
export function requireTrailName(name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new AwsError('InvalidTrailNameException', problem);
}

/**
 * Returns the message about the first rule that a name breaks, or `undefined` if it is valid.
 *
 * Source: CloudTrail API reference, CreateTrail, Name; messages: moto's tests, recorded on AWS, except the last two.
 * Assumed: the messages about adjacent characters and IP addresses.
 */
function nameProblem(name: string): string | undefined {
  const specified = `Specified name length: ${name.length} characters.`;
  if (name.length < LENGTH.min) return `Trail name too short. Minimum allowed length: ${LENGTH.min} characters. ${specified}`;
  if (name.length > LENGTH.max) return `Trail name too long. Maximum allowed length: ${LENGTH.max} characters. ${specified}`;
  if (!LETTER_OR_DIGIT.test(name.charAt(0))) return 'Trail name must starts with a letter or number.';
  if (!LETTER_OR_DIGIT.test(name.charAt(name.length - 1))) return 'Trail name must ends with a letter or number.';
  if (!CHARACTERS.test(name)) {
    return 'Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_).';
  }
  if (ADJACENT.test(name)) return 'Trail name cannot have adjacent periods (.), hyphens (-), or underscores (_).';
  return isIPv4(name) ? 'Trail name cannot be in IP address format.' : undefined;
}
