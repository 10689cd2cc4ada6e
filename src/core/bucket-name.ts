import { isIPv4 } from 'node:net';

/**
 * Reports whether a string has the form of a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens.
 *
 * Source: Amazon S3 User Guide, "General purpose bucket naming rules".
 */
export function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..') && !isIPv4(name);
}
