import { omitUndefined } from '#core/omit-undefined.ts';
import type { CloudwatchApi, DescribeAlarmsInput, DescribeAlarmsOutput, MetricAlarm } from '#model/generated/cloudwatch.ts';
import type { Call, DeclaredOperation } from '../../kit/operation.ts';
import { cutPage, paging } from '../../kit/page.ts';
import { AwsError } from '../errors.ts';
import { inNameOrder } from '../metric-identity.ts';
import { onAlarms, onAllAlarms } from './access.ts';
import { actionsIn } from './actions.ts';
import { typedAlarm } from './alarm-kinds.ts';
import { type AlarmRecord, alarms, metricKey, type StoredAlarmType } from './tables/alarms.ts';
import { toAlarm, toChild, toDescribed, toParent } from './views.ts';

interface PageRequest {
  readonly MaxRecords?: number;
  readonly NextToken?: string;
}

/** Pages of alarms. Source: cloudwatch 2010-08-01, MaxRecords: at most 100. Assumed: it defaults to 50. Assumed: the message. */
export const alarmPages = paging<PageRequest, { readonly NextToken?: string }>({
  defaultSize: 50,
  sizeOf: ({ MaxRecords }) => MaxRecords,
  tokenOf: ({ NextToken }) => NextToken,
  rest: (NextToken) => omitUndefined({ NextToken }),
  invalidToken: () => new AwsError('InvalidNextToken', 'The NextToken is invalid.'),
});

/** Number of alarms that one statement reads, and that one request examines. A page of a filtered list ends early after these. */
const READ_AT_ONCE = 100;
const EXAMINED_MAX = 1_000;

/** Operations that read alarms. */
export const describeAlarmOperations = {
  /**
   * Returns alarms in the order of their names. Without `AlarmTypes`, returns metric alarms only.
   *
   * @throws ValidationException  `AlarmNames` with `AlarmNamePrefix`; `ChildrenOfAlarmName` or `ParentsOfAlarmName` with other filters.
   *   Source: cloudwatch 2010-08-01, DescribeAlarms. Assumed: the messages
   * @throws ResourceNotFound     the alarm in `ChildrenOfAlarmName` or `ParentsOfAlarmName` does not exist. Assumed
   */
  DescribeAlarms: {
    access: ({ AlarmNames = [] }, caller) => (AlarmNames.length === 0 ? onAllAlarms(caller) : onAlarms(AlarmNames, caller)),
    async handle(call, input) {
      requireFilters(input);
      if (input.ChildrenOfAlarmName !== undefined) return await describeChildren(call, input, input.ChildrenOfAlarmName);
      if (input.ParentsOfAlarmName !== undefined) return await describeParents(call, input, input.ParentsOfAlarmName);
      const { records, last } = await filteredAlarms(call, input);
      return { ...toDescribed(records), ...alarmPages.restAfter(last) };
    },
  },

  /**
   * Returns the alarms on one metric. Source: cloudwatch 2010-08-01, DescribeAlarmsForMetric: alarms on expressions are not in the list.
   *
   * Assumed: `Dimensions` must be all dimensions of the metric, also if they are omitted.
   */
  DescribeAlarmsForMetric: {
    async handle(call, input) {
      const metric = metricKey(input.Namespace, input.MetricName);
      const found: MetricAlarm[] = [];
      for (let after: string | undefined = ''; after !== undefined; ) {
        const batch: readonly AlarmRecord[] = await call.tx.of(alarms).ofMetric(call, metric, after, READ_AT_ONCE);
        found.push(...batch.map((alarm) => toAlarm(alarm) as MetricAlarm).filter((alarm) => watches(alarm, input)));
        after = batch.length < READ_AT_ONCE ? undefined : batch.at(-1)?.name;
      }
      return { MetricAlarms: found };
    },
  },
} satisfies {
  readonly DescribeAlarms: DeclaredOperation<DescribeAlarmsInput, DescribeAlarmsOutput>;
  readonly DescribeAlarmsForMetric: DeclaredOperation<
    CloudwatchApi['DescribeAlarmsForMetric']['input'],
    CloudwatchApi['DescribeAlarmsForMetric']['output']
  >;
};

function watches(alarm: MetricAlarm, wanted: CloudwatchApi['DescribeAlarmsForMetric']['input']): boolean {
  for (const member of ['Statistic', 'ExtendedStatistic', 'Period', 'Unit'] as const) {
    if (wanted[member] !== undefined && wanted[member] !== alarm[member]) return false;
  }
  return JSON.stringify(inNameOrder(alarm.Dimensions).map(pair)) === JSON.stringify(inNameOrder(wanted.Dimensions).map(pair));
}

const pair = ({ Name, Value }: { readonly Name: string; readonly Value: string }) => [Name, Value];

function requireFilters(input: DescribeAlarmsInput): void {
  const { MaxRecords: _, NextToken: __, AlarmTypes, ...filters } = input;
  const set = Object.entries(filters).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (input.AlarmNames !== undefined && input.AlarmNamePrefix !== undefined) {
    throw new AwsError('ValidationException', 'AlarmNames and AlarmNamePrefix are mutually exclusive.');
  }
  for (const alone of ['ChildrenOfAlarmName', 'ParentsOfAlarmName'] as const) {
    if (input[alone] !== undefined && (set.length > 1 || AlarmTypes !== undefined)) {
      throw new AwsError('ValidationException', `${alone} must not be specified with other parameters than MaxRecords and NextToken.`);
    }
  }
}

/** Returns the alarms on a page, and the name of the last one examined if more may follow. */
async function filteredAlarms(call: Call, input: DescribeAlarmsInput): Promise<{ records: AlarmRecord[]; last: string | undefined }> {
  const size = alarmPages.sizeOf(input);
  const records: AlarmRecord[] = [];
  let examined = 0;
  let after = alarmPages.afterKey(input);
  for (;;) {
    const batch = await candidates(call, input, after);
    for (const alarm of batch.records) {
      // One more item shows that another page follows.
      if (records.length === size && matches(alarm, input)) return { records, last: after };
      if (matches(alarm, input)) records.push(alarm);
      if (records.length <= size) after = alarm.name;
    }
    examined += batch.records.length;
    if (!batch.more) return { records, last: undefined };
    if (examined >= EXAMINED_MAX) return { records, last: after };
  }
}

/** Reads alarms after a name: the named ones, those with the prefix, or all. */
async function candidates(
  { tx, accountId, region }: Call,
  { AlarmNames, AlarmNamePrefix: prefix }: DescribeAlarmsInput,
  after: string | undefined,
): Promise<{ readonly records: readonly AlarmRecord[]; readonly more: boolean }> {
  if (AlarmNames !== undefined && AlarmNames.length > 0) {
    const records: AlarmRecord[] = [];
    for (const name of [...new Set(AlarmNames)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      const isLater = after === undefined || Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0;
      const alarm = isLater ? await tx.of(alarms).get({ accountId, region, name }) : undefined;
      if (alarm !== undefined) records.push(alarm);
    }
    return { records, more: false };
  }
  if (prefix?.includes('\0')) return { records: [], more: false };
  if (prefix === undefined || after !== undefined) {
    const read = await tx.of(alarms).list({ accountId, region }, after ?? '', READ_AT_ONCE);
    const records = prefix === undefined ? read : read.filter(({ name }) => name.startsWith(prefix));
    return { records, more: read.length === READ_AT_ONCE && records.length === read.length };
  }
  // The names with the prefix follow the prefix itself in the order of names.
  const exact = await tx.of(alarms).get({ accountId, region, name: prefix });
  const read = await tx.of(alarms).list({ accountId, region }, prefix, READ_AT_ONCE);
  const longer = read.filter(({ name }) => name.startsWith(prefix));
  return { records: [...(exact === undefined ? [] : [exact]), ...longer], more: longer.length === READ_AT_ONCE };
}

/** Types in the response. Source: cloudwatch 2010-08-01, DescribeAlarms, AlarmTypes: metric alarms by default. */
const DEFAULT_TYPES: readonly StoredAlarmType[] = ['MetricAlarm'];

function matches(alarm: AlarmRecord, { AlarmTypes, StateValue, ActionPrefix }: DescribeAlarmsInput): boolean {
  const types: readonly string[] = AlarmTypes === undefined || AlarmTypes.length === 0 ? DEFAULT_TYPES : AlarmTypes;
  if (!types.includes(alarm.type)) return false;
  if (StateValue !== undefined && alarm.state !== StateValue) return false;
  return ActionPrefix === undefined || actionsIn(typedAlarm(alarm).configuration).some((action) => action.startsWith(ActionPrefix));
}

async function describeChildren(call: Call, input: DescribeAlarmsInput, name: string): Promise<DescribeAlarmsOutput> {
  const children = await call.tx.of(alarms).children(await alarmOrNotFound(call, name));
  const { records, rest } = alarmPages.pageOf(
    input,
    children.map((record) => ({ key: record.name, record })),
  );
  return { ...toDescribed(records, toChild), ...rest };
}

async function describeParents(call: Call, input: DescribeAlarmsInput, name: string): Promise<DescribeAlarmsOutput> {
  const size = alarmPages.sizeOf(input);
  const alarm = await alarmOrNotFound(call, name);
  const { items, last } = cutPage(await call.tx.of(alarms).parents(alarm, alarmPages.afterKey(input) ?? '', size + 1), size);
  return { ...toDescribed(items, toParent), ...alarmPages.restAfter(last?.name) };
}

/** Returns an alarm. @throws ResourceNotFound  it does not exist. Recorded: the error has no message */
export async function alarmOrNotFound({ tx, accountId, region }: Call, name: string): Promise<AlarmRecord> {
  const alarm = await tx.of(alarms).get({ accountId, region, name });
  if (alarm === undefined) throw new AwsError('ResourceNotFound', '');
  return alarm;
}
