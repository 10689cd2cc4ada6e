import { service } from '../kit/service.ts';
import { AwsError } from './errors.ts';
import type { LookupSettings } from './lookup-events.ts';

/** CloudTrail, with the event history only. */
export const cloudtrail = service<LookupSettings>({
  name: 'cloudtrail',
  operations: async (settings) => (await import('./operations.ts')).cloudtrailOperations(settings),
  invalidPageToken: () => new AwsError('InvalidNextTokenException', 'The next token is invalid, or belongs to other parameters.'),
});
