import { type ExplainedDecision, explainDecision as explainPast } from '#access/past/explained-decision.ts';
import { FactNotKept } from '#access/past/past-request.ts';
import type { AccountId } from '#core/arn.ts';
import { REGIONS } from '#core/regions.ts';
import type { AccessanalyzerApi } from '#model/generated/accessanalyzer.ts';
import type { Store, Tx } from '#store/store.ts';
import type { DecidedRow } from '#store/trail/trail-pack.ts';
import { eventIdOf } from '#trail/event-id.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { changeOf, type Output, permissionsOf, recordOf, summaryOf } from './explained-output.ts';

type Input = AccessanalyzerApi['ExplainDecision']['input'];

/** What the operation reads: a record, and its explained decision or the reason why there is none. */
interface Read {
  readonly row: DecidedRow['row'];
  readonly explained: ExplainedDecision | { readonly none: string };
}

/**
 * Explains the decision about one request of the caller's account, as it was taken then. It finds the record by the ID of the request or of
 * the event.
 *
 * @throws ValidationException        the input has not exactly one ID, or an unknown region
 * @throws ResourceNotFoundException  the trail of the account has no such record, or it is deleted already
 */
export const explainDecision: ServiceOperations<AccessanalyzerApi>['ExplainDecision'] = {
  async handle(call, input) {
    const eventIds = eventIdsOf(input);
    const regions = regionsOf(input, call.region);
    const found = call.survey('decision', (store) => read(store, call.accountId, eventIds, regions));
    if (found === undefined) {
      const [resourceId, resourceType] = [input.requestId ?? input.eventId ?? '', 'Event'];
      const message = `The trail has no record with this ID: ${resourceId}`;
      throw new AwsError('ResourceNotFoundException', message, { resourceId, resourceType });
    }
    return outputOf(found);
  },
};

function eventIdsOf({ requestId, eventId }: Input): readonly string[] {
  if ((requestId === undefined) === (eventId === undefined)) throw invalid('requestId', 'Specify either requestId or eventId.');
  return eventId !== undefined ? [eventId] : [eventIdOf(requestId as string), eventIdOf(requestId as string, true)];
}

function regionsOf({ region }: Input, ofCall: string): readonly string[] {
  if (region === undefined) return [...new Set([ofCall, ...REGIONS])];
  if (region !== ofCall && !REGIONS.has(region)) throw invalid('region', `Unknown region: ${region}`);
  return [region];
}

function invalid(name: string, message: string): AwsError {
  return new AwsError('ValidationException', message, { reason: 'fieldValidationFailed', fieldList: [{ name, message }] });
}

async function read(
  store: Pick<Store, 'transaction'>,
  accountId: AccountId,
  eventIds: readonly string[],
  regions: readonly string[],
): Promise<Read | undefined> {
  for (const region of regions) {
    for (const eventId of eventIds) {
      const found = await store.transaction((tx) => tx.trail.decisionOf({ accountId, region, eventId }));
      if (found !== undefined) return { row: found.row, explained: await store.transaction((tx) => explained(tx, accountId, found)) };
    }
  }
  return undefined;
}

async function explained(tx: Tx, accountId: AccountId, { context }: DecidedRow): Promise<Read['explained']> {
  if (context === undefined) return { none: 'The request failed before a policy decided.' };
  if ('omittedBytes' in context)
    return { none: `The facts of the decision had ${context.omittedBytes} bytes, which is too much to be kept.` };
  try {
    return await explainPast(tx, context, accountId);
  } catch (error) {
    if (error instanceof FactNotKept || error instanceof RangeError) return { none: `The decision cannot be repeated: ${error.message}.` };
    throw error;
  }
}

function outputOf({ row, explained }: Read): Output {
  const record = recordOf(row);
  if ('none' in explained) return { record, decision: 'NOT_DECIDED', summary: explained.none };
  const { permissions, documents } = permissionsOf(explained);
  return {
    record,
    decision: explained.outcome.effect === 'Allow' ? 'ALLOWED' : 'DENIED',
    summary: summaryOf(explained),
    reproduced: explained.reproduced,
    permissions,
    documents,
    ...(explained.change !== undefined && { change: changeOf(explained.change, explained.principal.arn) }),
  };
}
