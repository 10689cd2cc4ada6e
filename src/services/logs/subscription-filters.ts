/** Operations on subscription filters, which send the log events of a group to a function or a stream. */
import { parseArn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { LogsApi, PutSubscriptionFilterRequest, SubscriptionFilter } from '#model/generated/logs.ts';
import { notYetImplemented } from '../kit/not-yet.ts';
import type { Caller, ServiceOperations } from '../kit/operation.ts';
import type { TryOutgoing } from '../kit/outgoing.ts';
import { AwsError, invalidParameter, limitExceeded } from './errors.ts';
import { requireAffordable } from './filter-limits.ts';
import { filtersOf } from './metric-values.ts';
import { groupOrNotFound, onGroup } from './names.ts';
import { pageOf } from './page.ts';
import { patternOf } from './read-events.ts';
import { subscriptionsOf, testMessage } from './subscription-messages.ts';
import { SUBSCRIPTIONS_MAX, type SubscriptionFilterRecord, subscriptionFilters } from './tables/subscription-filters.ts';

/** Parts of the server that the operations use. */
export interface LogsParts {
  readonly tryOutgoing: TryOutgoing;
}

/** @throws ResourceNotFoundException  the group or the filter does not exist */
export function subscriptionFilterOperations({ tryOutgoing }: LogsParts) {
  return {
    /**
     * Creates a subscription filter, or replaces the one with the same name, after a test message to its destination.
     *
     * @throws InvalidParameterException  the pattern, the destination or its role is invalid, or the destination does not accept the test
     * @throws LimitExceededException     the group has two others, or filters whose patterns take too much time
     * @throws NotYetImplementedException  a member is set that has no effect on this server, or the destination is one of Firehose or Logs
     * @throws ServiceUnavailable          the account waits for too many destinations
     * Source: public error reports, the messages. Assumed: the order of the checks, and the messages of `requireDestination`.
     */
    PutSubscriptionFilter: {
      access: ({ logGroupName }, caller) => onGroup({ ...caller, name: logGroupName }),
      async handle(call, input) {
        const { logGroupName, filterName: name, filterPattern: pattern, destinationArn, roleArn, distribution = 'ByLogStream' } = input;
        requireActedOn(input);
        const service = requireDestination(input, call);
        const group = await groupOrNotFound(call, { ...call, name: logGroupName });
        const parsed = patternOf(pattern);
        const present = await subscriptionsOf(call, group);
        const others = present.filter((each) => each.name !== name);
        if (others.length >= SUBSCRIPTIONS_MAX) throw limitExceeded();
        requireAffordable([parsed, ...[...others, ...(await filtersOf(call, group))].map((each) => each.parsed)]);
        const createdAt = present.find((each) => each.name === name)?.createdAt ?? call.now;
        const filter: SubscriptionFilterRecord = omitUndefined({
          ...{ groupId: group.groupId, name, createdAt, pattern, destinationArn, distribution },
          roleArn,
        });
        const attempt = await tryOutgoing(call.tx, testMessage(group, filter, call.now, call.newId()));
        if (!call.contact('test message', attempt)) throw invalidParameter(UNREACHABLE[service]);
        await call.tx.of(subscriptionFilters).put(filter);
        return {};
      },
    },

    /** Returns the subscription filters of a group in the order of their names. */
    DescribeSubscriptionFilters: {
      access: ({ logGroupName }, caller) => onGroup({ ...caller, name: logGroupName }),
      async handle(call, input) {
        const { logGroupName, filterNamePrefix: prefix = '' } = input;
        const group = await groupOrNotFound(call, { ...call, name: logGroupName });
        const found = (await call.tx.of(subscriptionFilters).ofGroup(group.groupId)).filter(({ name }) => name.startsWith(prefix));
        const { records, rest } = pageOf(
          input,
          found.map((record) => ({ key: record.name, record })),
        );
        return { subscriptionFilters: records.map((filter) => shownFilter(logGroupName, filter)), ...rest };
      },
    },

    /** @throws ResourceNotFoundException  Source: moto, the message */
    DeleteSubscriptionFilter: {
      access: ({ logGroupName }, caller) => onGroup({ ...caller, name: logGroupName }),
      async handle(call, { logGroupName, filterName: name }) {
        const { groupId } = await groupOrNotFound(call, { ...call, name: logGroupName });
        if ((await call.tx.of(subscriptionFilters).remove({ groupId, name })) === 'absent') {
          throw new AwsError('ResourceNotFoundException', 'The specified subscription filter does not exist.');
        }
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<LogsApi>>;
}

/** Source: public error reports of PutSubscriptionFilter. */
const UNREACHABLE = {
  lambda: 'Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function.',
  kinesis: 'Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state.',
} as const;

/** Beginnings of the resources in the ARNs of destinations. */
const RESOURCES = { lambda: /^function:[^:]+(?::[^:]+)?$/, kinesis: /^stream\/.+$/ } as const;

function requireActedOn({
  applyOnTransformedLogs = false,
  fieldSelectionCriteria = '',
  emitSystemFields = [],
}: PutSubscriptionFilterRequest): void {
  if (applyOnTransformedLogs) throw notYetImplemented('PutSubscriptionFilter with applyOnTransformedLogs');
  if (fieldSelectionCriteria !== '') throw notYetImplemented('PutSubscriptionFilter with fieldSelectionCriteria');
  if (emitSystemFields.length > 0) throw notYetImplemented('PutSubscriptionFilter with emitSystemFields');
}

/** Returns the service of the destination. Source: public error reports, the messages about vendors. */
function requireDestination(
  { destinationArn, roleArn }: PutSubscriptionFilterRequest,
  { accountId, region }: Pick<Caller, 'accountId' | 'region'>,
): keyof typeof UNREACHABLE {
  const parts = parseArn(destinationArn);
  if (parts === undefined) throw invalidParameter(`Invalid destinationArn '${destinationArn}'.`);
  const { service } = parts;
  if (service === 'firehose' || service === 'logs') throw notYetImplemented(`PutSubscriptionFilter with a destination of ${service}`);
  if (service !== 'lambda' && service !== 'kinesis') {
    throw invalidParameter(`PutSubscriptionFilter operation cannot work with destinationArn for vendor ${service}`);
  }
  if (!RESOURCES[service].test(parts.resource)) throw invalidParameter(`Invalid destinationArn '${destinationArn}'.`);
  if (service === 'lambda' && roleArn !== undefined) {
    throw invalidParameter('destinationArn for vendor lambda cannot be used with roleArn');
  }
  if (service === 'kinesis' && roleArn === undefined) {
    throw invalidParameter('destinationArn for vendor kinesis cannot be used without roleArn');
  }
  // Source: logs 2014-03-28, PutSubscriptionFilter, destinationArn: both belong to the account of the subscription filter.
  if (parts.accountId !== accountId || parts.region !== region) {
    throw invalidParameter(`The destination '${destinationArn}' must belong to the account and the region of the log group.`);
  }
  return service;
}

function shownFilter(logGroupName: string, filter: SubscriptionFilterRecord): SubscriptionFilter {
  const { name, pattern, destinationArn, roleArn, distribution, createdAt } = filter;
  return omitUndefined({
    ...{ filterName: name, logGroupName, filterPattern: pattern, destinationArn, distribution, creationTime: createdAt },
    ...{ roleArn, applyOnTransformedLogs: false },
  });
}
