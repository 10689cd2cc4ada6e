import { service } from '../kit/service.ts';
import { invalidInput } from './refusals.ts';

/** Declaration of the service Organizations. The part `identity` of the store contains its records. */
export const organizations = service<object>({
  name: 'organizations',
  operations: async () => (await import('./operations.ts')).organizationsOperations(),
  rules: async () => (await import('./rules.ts')).ORGANIZATIONS_RULES,
  invalidPageToken: () => invalidInput('INVALID_NEXT_TOKEN', 'The provided value for NextToken is not valid.'),
});
