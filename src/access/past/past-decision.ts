import { AwsError } from '#core/aws-error.ts';
import type { DecisionContext } from '#store/trail/decision-context.ts';
import { type AuthorizeRequest, authorizing } from '../authorize.ts';
import { decisionContextOf, newDecisionTrace } from '../decision-trace.ts';
import { Denied } from '../denied.ts';
import type { PastIdentity } from './past-identity.ts';
import { NO_TX } from './past-request.ts';

/**
 * Decides a request of the past again, with the code of the server. Returns the context of the new decision, or `undefined` if it fails
 * before a policy decides. `caller` is the reference to the principal that the new context gets.
 *
 * @throws FactNotKept  the decision needs a fact that is not stored
 */
export async function decideAgain(
  { snapshot, stacks }: PastIdentity,
  request: AuthorizeRequest,
  caller: DecisionContext['caller'],
): Promise<DecisionContext | undefined> {
  const trace = newDecisionTrace();
  const thrown = await authorizing({ snapshot, stacks, holds: () => true })({ ...request, trace }, NO_TX).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown !== undefined && !(thrown instanceof AwsError)) throw thrown;
  return decisionContextOf(trace, thrown instanceof Denied ? thrown.decision : undefined, caller);
}
