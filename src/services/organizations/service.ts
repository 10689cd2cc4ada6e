import { service } from '../kit/service.ts';
import { invalidInput } from './refusals.ts';

/** Service Organizations, whose records are in the identity store. */
export const organizations = service<object>({
  name: 'organizations',
  operations: async () => (await import('./operations.ts')).organizationsOperations(),
  invalidPageToken: () => invalidInput('INVALID_NEXT_TOKEN', 'The provided value for NextToken is not valid.'),
});
