import type { DecisionToExplain } from '#access/past/explained-decision.ts';
import { pastArns } from '#access/past/past-arns.ts';
import { readPast } from '#access/past/past-identity.ts';
import { callerOf, FactNotKept } from '#access/past/past-request.ts';
import type { AccountId } from '#core/arn.ts';
import { eventIdOf } from '#core/event-id.ts';
import { REGIONS } from '#core/regions.ts';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import { StepsExceeded } from '#policy/steps.ts';
import type { Store } from '#store/store.ts';
import { type DecidedRow, UnreadablePack } from '#store/trail/trail-pack.ts';
import { trailPolicies } from '#store/trail/trail-policy.ts';
import type { ServiceOperations } from '../../kit/operation.ts';
import type { Compute } from '../../kit/thread-work.ts';
import { AwsError, invalidField } from '../kit/errors.ts';
import type { Output } from './explained-output.ts';
import type { Explanation, Question, Reply, run } from './explanation-work.ts';
import { isIntact, recordOf } from './stored-record.ts';

type Input = AccessanalyzerApi['ExplainDecision']['input'];

/** Module that computes an explanation in another thread. */
const EXPLANATION = new URL('./explanation-work.ts', import.meta.url);

/** What the operation reads: a record, and its explanation. */
interface Read {
  readonly record: Output['record'];
  readonly explanation: Explanation;
}

/**
 * Explains the decision about one request of the caller's account, as it was taken then. It finds the record by the ID of the request or of
 * the event.
 *
 * The core reads the facts in short transactions, and another thread compiles and evaluates the policies.
 *
 * @throws ValidationException           the input has not exactly one ID, or an unknown region
 * @throws ResourceNotFoundException     the trail of the account has no such record, or it is deleted already
 * @throws UnprocessableEntityException  the explanation needs more work than one request may take, or someone altered the record in the
 *                                       database, so that it is not in the format of the server
 */
export const explainDecision: ServiceOperations<AccessanalyzerApi>['ExplainDecision'] = {
  async handle(call, input) {
    const eventIds = eventIdsOf(input);
    const regions = regionsOf(input, call.region);
    const found = call.survey('decision', (store, compute) => read(store, compute, call.accountId, eventIds, regions));
    if (found === undefined) {
      const [resourceId, resourceType] = [input.requestId ?? input.eventId ?? '', 'Event'];
      const message = `The trail has no record with this ID: ${resourceId}`;
      throw new AwsError('ResourceNotFoundException', message, { resourceId, resourceType });
    }
    return outputOf(found);
  },
};

function eventIdsOf({ requestId, eventId }: Input): readonly string[] {
  if ((requestId === undefined) === (eventId === undefined)) throw invalidField('requestId', 'Specify either requestId or eventId.');
  return eventId !== undefined ? [eventId] : [eventIdOf(requestId as string), eventIdOf(requestId as string, true)];
}

function regionsOf({ region }: Input, ofCall: string): readonly string[] {
  if (region === undefined) return [...new Set([ofCall, ...REGIONS])];
  if (region !== ofCall && !REGIONS.has(region)) throw invalidField('region', `Unknown region: ${region}`);
  return [region];
}

async function read(
  store: Pick<Store, 'transaction'>,
  compute: Compute,
  accountId: AccountId,
  eventIds: readonly string[],
  regions: readonly string[],
): Promise<Read | undefined> {
  for (const region of regions) {
    for (const eventId of eventIds) {
      const found = await store.transaction((tx) => tx.trail.decisionOf({ accountId, region, eventId })).catch(refuseUnreadable);
      if (found === undefined) continue;
      const record = recordOf(found.row);
      if (record === undefined) throw altered();
      return { record, explanation: await explanationOf(store, compute, accountId, record, found.context) };
    }
  }
  return undefined;
}

async function explanationOf(
  store: Pick<Store, 'transaction'>,
  compute: Compute,
  viewer: AccountId,
  { errorCode }: Output['record'],
  context: DecidedRow['context'],
): Promise<Explanation> {
  if (context === undefined) return { none: errorCode === undefined ? UNDECIDED : 'The request failed before a policy decided.' };
  if ('omittedBytes' in context)
    return { none: `The facts of the decision had ${context.omittedBytes} bytes, which is too much to be kept.` };
  if (!isIntact(context)) throw altered();
  try {
    const principal = await store.transaction((tx) => callerOf(tx, context));
    return await compute<typeof run>(EXPLANATION, { context, principal, viewer }, answering(store, context.identityVersion));
  } catch (error) {
    if (error instanceof FactNotKept) return { none: `The decision cannot be repeated: ${error.message}.` };
    if (error instanceof StepsExceeded)
      throw new AwsError('UnprocessableEntityException', 'The policies of the decision are too complex to be explained.');
    throw error;
  }
}

/** Returns the function that answers the questions of an explanation about stored facts as of a version of identity. */
function answering(store: Pick<Store, 'transaction'>, version: DecisionToExplain['context']['identityVersion']) {
  const records = readPast(store.transaction, version);
  return async (question: Question): Promise<Reply> => {
    try {
      if ('lookUp' in question) return { records: await records(question.lookUp) };
      if ('arnsOf' in question) return { arns: await pastArns(store, version, question.arnsOf, question.ids) };
      return { text: await store.transaction((tx) => tx.of(trailPolicies).text(question.policyHash)) };
    } catch (error) {
      if (error instanceof RangeError) return { notKept: error.message };
      throw error;
    }
  };
}

/** Summary of a successful request without facts of its decision. */
const UNDECIDED =
  'The record has no facts of a decision: no policy decided, a service used its role, or an earlier version of the server wrote the record.';

function refuseUnreadable(error: unknown): never {
  throw error instanceof UnreadablePack ? altered() : error;
}

/** Returns the error for a record that is not in the format of the server. Does not repeat the altered text. */
function altered(): AwsError {
  const message =
    'The record is not in the format of the server: someone altered it in the database, or a newer version wrote it. The operator can verify the trail.';
  return new AwsError('UnprocessableEntityException', message);
}

function outputOf({ record, explanation }: Read): Output {
  if ('none' in explanation) return { record, decision: 'NOT_DECIDED', summary: explanation.none };
  const failed = explanation.decision === 'ALLOWED' && record.errorCode !== undefined;
  const summary = failed ? `${explanation.summary} The request failed afterwards: ${record.errorCode}.` : explanation.summary;
  return { record, ...explanation, summary };
}
