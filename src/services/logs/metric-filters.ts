/** Operations on metric filters. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { LogsApi, MetricFilter, MetricTransformation } from '#model/generated/logs.ts';
import { notYetImplemented } from '../kit/not-yet.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { AwsError, invalidParameter, limitExceeded } from './errors.ts';
import { requireAffordable } from './filter-limits.ts';
import { costOf, costOfEvent } from './filter-pattern/cost.ts';
import { toNumber } from './filter-pattern/cursor.ts';
import { extractedValues, matches } from './filter-pattern/match.ts';
import { parsePattern } from './filter-pattern/parse.ts';
import type { FilterPattern } from './filter-pattern/pattern.ts';
import { subjectOf } from './filter-pattern/subject.ts';
import { filtersOf } from './metric-values.ts';
import { groupOrNotFound, onAllGroups, onGroup } from './names.ts';
import { pageOfStored } from './page.ts';
import { patternOf } from './read-events.ts';
import { subscriptionsOf } from './subscription-messages.ts';
import { FILTERS_MAX, type MetricFilterRecord, metricFilters } from './tables/metric-filters.ts';

/** Maximum number of dimensions of a metric filter. Source: CloudWatch Logs API reference, MetricTransformation. */
const DIMENSIONS_MAX = 3;

/** @throws ResourceNotFoundException  the group or the filter does not exist */
export const metricFilterOperations = {
  /**
   * Creates a metric filter, or replaces the one with the same name.
   *
   * @throws InvalidParameterException  the pattern, the value or the dimensions are invalid
   * @throws LimitExceededException     the group has 100 filters, or filters whose patterns take too much time
   * @throws NotYetImplementedException  a member is set that has no effect on this server
   * Source: public error reports, the message about patterns. Assumed: the other messages.
   */
  PutMetricFilter: {
    access: ({ logGroupName }, caller) => onGroup({ ...caller, name: logGroupName }),
    async handle(call, input) {
      const { logGroupName, filterName: name, filterPattern: pattern, metricTransformations: transformations } = input;
      requireActedOn(input);
      const group = await groupOrNotFound(call, { ...call, name: logGroupName });
      const parsed = parsePattern(pattern);
      if ('problem' in parsed) throw invalidParameter('Invalid metric filter pattern');
      for (const transformation of transformations) requireTransformation(transformation, parsed.pattern);
      const others = (await filtersOf(call, group)).filter((each) => each.name !== name);
      if (others.length >= FILTERS_MAX) throw limitExceeded();
      requireAffordable([parsed.pattern, ...[...others, ...(await subscriptionsOf(call, group))].map((each) => each.parsed)]);
      const { accountId, region, groupId } = group;
      await call.tx
        .of(metricFilters)
        .put({ accountId, region, name, logGroupName, groupId, createdAt: call.now, pattern, transformations });
      return {};
    },
  },

  /**
   * Returns metric filters in the order of their names: those of a group, or of all groups.
   *
   * @throws InvalidParameterException  only one of metricName and metricNamespace is set. Assumed: the message
   */
  DescribeMetricFilters: {
    access: ({ logGroupName }, caller) => (logGroupName === undefined ? onAllGroups(caller) : onGroup({ ...caller, name: logGroupName })),
    async handle(call, input) {
      const { logGroupName, filterNamePrefix: prefix = '', metricName, metricNamespace } = input;
      if ((metricName === undefined) !== (metricNamespace === undefined)) {
        throw invalidParameter('metricName and metricNamespace must be specified together.');
      }
      if (logGroupName !== undefined) await groupOrNotFound(call, { ...call, name: logGroupName });
      const { records, rest } = await pageOfStored(
        call.tx.identity,
        input,
        (after, limit) => readFilters(call, prefix, after, limit),
        (filter) =>
          (logGroupName === undefined || filter.logGroupName === logGroupName) &&
          (metricName === undefined ||
            filter.transformations.some((each) => each.metricName === metricName && each.metricNamespace === metricNamespace)),
      );
      return { metricFilters: records.map(shownFilter), ...rest };
    },
  },

  /** @throws ResourceNotFoundException  Source: public error reports, the message */
  DeleteMetricFilter: {
    access: ({ logGroupName }, caller) => onGroup({ ...caller, name: logGroupName }),
    async handle(call, { logGroupName, filterName: name }) {
      const { accountId, region } = await groupOrNotFound(call, { ...call, name: logGroupName });
      if ((await call.tx.of(metricFilters).remove({ accountId, region, name, logGroupName })) === 'absent') {
        throw new AwsError('ResourceNotFoundException', 'The specified metric filter does not exist.');
      }
      return {};
    },
  },

  /**
   * Returns the messages that match a pattern, with the values that the pattern names. Numbers of messages begin with 1.
   *
   * @throws InvalidParameterException  the pattern is invalid, or messages and pattern together take too much time
   * Recorded: a public recording of 2026, the numbers. The examples of the API reference begin with 0.
   */
  TestMetricFilter: {
    async handle(_call, { filterPattern, logEventMessages }) {
      const pattern = patternOf(filterPattern);
      const cost = costOf(pattern);
      const perCharacter = cost.perCharacter + (pattern.kind === 'fields' ? FIELD_VALUES : 0);
      const sum = logEventMessages.reduce((total, message) => total + costOfEvent({ ...cost, perCharacter }, message), 0);
      if (sum > TEST_COST_MAX) throw invalidParameter('The filter pattern and the messages are too large together.');
      return {
        matches: logEventMessages.flatMap((eventMessage, i) => {
          const subject = subjectOf(eventMessage);
          if (!matches(pattern, subject)) return [];
          return [{ eventNumber: i + 1, eventMessage, extractedValues: Object.fromEntries(extractedValues(pattern, subject)) }];
        }),
      };
    },
  },
} satisfies Partial<ServiceOperations<LogsApi>>;

/** Maximum cost of a test: see `costOf`. Assumed: the number. */
const TEST_COST_MAX = 200_000_000;
/** Cost per character of the values of all fields of a message. */
const FIELD_VALUES = 300;

interface UnsupportedMembers {
  readonly applyOnTransformedLogs?: boolean;
  readonly fieldSelectionCriteria?: string;
  readonly emitSystemFieldDimensions?: readonly string[];
}

function requireActedOn({
  applyOnTransformedLogs = false,
  fieldSelectionCriteria = '',
  emitSystemFieldDimensions = [],
}: UnsupportedMembers): void {
  if (applyOnTransformedLogs) throw notYetImplemented('PutMetricFilter with applyOnTransformedLogs');
  if (fieldSelectionCriteria !== '') throw notYetImplemented('PutMetricFilter with fieldSelectionCriteria');
  if (emitSystemFieldDimensions.length > 0) throw notYetImplemented('PutMetricFilter with emitSystemFieldDimensions');
}

/** Source: CloudWatch Logs API reference, MetricTransformation. */
function requireTransformation(
  { metricNamespace, metricValue, dimensions, defaultValue }: MetricTransformation,
  pattern: FilterPattern,
): void {
  // Only the server writes to these namespaces. Source: CloudWatch API reference, PutMetricData, Namespace. Assumed: the message.
  if (metricNamespace.startsWith('AWS/'))
    throw invalidParameter("Invalid metric transformation: the namespace must not begin with 'AWS/'.");
  const selectors = Object.values(dimensions ?? {});
  if (selectors.length > DIMENSIONS_MAX) throw invalidParameter(`A metric transformation can have at most ${DIMENSIONS_MAX} dimensions.`);
  if (selectors.length > 0 && defaultValue !== undefined)
    throw invalidParameter('A metric transformation with dimensions cannot have a default value.');
  const isSelector = metricValue.startsWith('$');
  if (!isSelector && toNumber(metricValue) === undefined)
    throw invalidParameter(`Invalid metric transformation: '${metricValue}' is not a number.`);
  for (const selector of [...selectors, ...(isSelector ? [metricValue] : [])]) {
    if (!isNamed(pattern, selector))
      throw invalidParameter(`Invalid metric transformation: the filter pattern does not name '${selector}'.`);
  }
}

/** Reports whether a pattern names a value. A field without a name has its number. */
function isNamed(pattern: FilterPattern, selector: string): boolean {
  if (pattern.kind === 'json') return pattern.selectors.some(({ text }) => text === selector);
  if (pattern.kind === 'terms') return false;
  const names = [...pattern.first, ...(pattern.last ?? [])].map((field, i) => `$${field.name ?? i + 1}`);
  return names.includes(selector);
}

async function readFilters(call: Call, prefix: string, after: string | undefined, limit: number) {
  const [name = '', logGroupName = ''] = after === undefined ? [] : (JSON.parse(after) as [string, string]);
  const found = await call.tx.of(metricFilters).list(call, prefix, { name, logGroupName }, limit);
  return found.map((filter) => ({ key: JSON.stringify([filter.name, filter.logGroupName]), record: filter }));
}

function shownFilter({ name, pattern, transformations, createdAt, logGroupName }: MetricFilterRecord): MetricFilter {
  return {
    ...{ filterName: name, filterPattern: pattern, creationTime: createdAt, logGroupName, applyOnTransformedLogs: false },
    metricTransformations: transformations.map((each) => omitUndefined({ ...each })) as readonly MetricTransformation[],
  };
}
