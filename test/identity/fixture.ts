/** Fixture of this folder: tags and ARNs that the tests use. */
import type { Tag } from '@aws-sdk/client-chime-sdk-identity';

export const BLUE: Tag = { Key: 'team', Value: 'blue' };
export const RED: Tag = { Key: 'team', Value: 'red' };

/** Returns the ARN of a Pinpoint project that does not exist. */
export const projectOf = (accountId: string) => `arn:aws:mobiletargeting:us-east-1:${accountId}:apps/9f1c`;
