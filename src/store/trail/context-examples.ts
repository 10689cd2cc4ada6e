/** Test kit: an example of a decision context. */
import { NOON } from '../conformance-fixtures.ts';
import type { DecisionContext } from './decision-context.ts';

/** Returns the context of an allowed GetMeeting. The members in `more` replace the defaults. */
export function exampleContext(more: Partial<DecisionContext> = {}): DecisionContext {
  return {
    identityVersion: 7,
    identityChanged: false,
    now: NOON,
    profile: 'sdk',
    caller: { principal: '["Root","111111111111"]' },
    region: 'us-east-1',
    sourceIp: '127.0.0.1',
    secureTransport: true,
    userAgent: 'test',
    referer: undefined,
    permissions: [
      {
        action: 'chime:GetMeeting',
        resources: ['arn:aws:chime:us-east-1:111111111111:meeting/m-1'],
        added: new Map<string, string | string[]>([['aws:tagkeys', ['Team']]]),
        tags: [{ Team: 'red' }],
        trustPolicyOf: undefined,
        resourceOwner: undefined,
        resourcePolicy: undefined,
        always: false,
        undecided: false,
        allowedBy: { policyType: 'identity', policyId: 'user/ada:p', statement: 0, sid: 'Read' },
      },
    ],
    outcome: { effect: 'Allow' },
    denied: undefined,
    omitted: undefined,
    ...more,
  };
}
