import { service } from '../kit/service.ts';
import { AwsError } from './errors.ts';
import { notificationStatus } from './notifications.ts';
import type { CloudtrailParts } from './operations.ts';

/** Operations whose error for an invalid page token has another name. Source: cloudtrail 2013-11-01, their errors. Assumed: the message. */
const TOKEN_OPERATIONS: ReadonlySet<string> = new Set(['ListPublicKeys', 'ListTags']);

/** CloudTrail: the event history and trails. */
export const cloudtrail = service<CloudtrailParts>({
  name: 'cloudtrail',
  operations: async (parts) => (await import('./operations.ts')).cloudtrailOperations(parts),
  subscriptions: [notificationStatus],
  rules: async () => (await import('./rules.ts')).CLOUDTRAIL_RULES,
  invalidPageToken: (_member, operation) =>
    TOKEN_OPERATIONS.has(operation)
      ? new AwsError('InvalidTokenException', 'The token is invalid.')
      : new AwsError('InvalidNextTokenException', 'The next token is invalid, or belongs to other parameters.'),
});
