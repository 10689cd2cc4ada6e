import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { CloudwatchApi, Datapoint } from '#model/generated/cloudwatch.ts';
import type { Call, DeclaredOperation } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { isPeriod, roundedStart } from './ranges.ts';
import { isSimple, type StatFunction, statOf } from './stat.ts';
import { type Period, readingIn, readPeriods } from './statistics.ts';
import type { Summary } from './summary.ts';

type Api = CloudwatchApi['GetMetricStatistics'];

/** Source: cloudwatch 2010-08-01, GetMetricStatistics. */
const POINTS_MAX = 1_440;

/**
 * Maximum number of stored points that a request reads. A metric with one sample a minute has 45,000 points in 455 days. Assumed: the
 * number.
 */
export const READ_MAX = 150_000;

/**
 * Returns statistics of a metric, oldest first. Without `Unit`, a period has one point for each unit.
 *
 * @throws InvalidParameterValueException        the period or a statistic is invalid, or the range is empty
 * @throws InvalidParameterCombinationException  neither or both of `Statistics` and `ExtendedStatistics`; more than 1,440 points
 *
 * Source: events.md §4.2: the messages about the range and the number of points are literal.
 * Assumed: the wording of the others, the order of the checks, and that the last period has only samples before `EndTime`.
 */
export const getMetricStatistics: DeclaredOperation<Api['input'], Api['output']> = {
  async handle(call, input) {
    const { MetricName, StartTime, EndTime, Period } = input;
    const { simple, extended } = statisticsOf(input);
    if (!isPeriod(Period)) throw new AwsError('InvalidParameterValueException', 'The parameter Period must be a multiple of 60.');
    if (StartTime >= EndTime)
      throw new AwsError('InvalidParameterValueException', 'The parameter StartTime must be less than the parameter EndTime.');
    const count = Math.ceil((EndTime - StartTime) / (Period * 1_000));
    if (count > POINTS_MAX) {
      const limit = `You have requested up to ${count} datapoints, which exceeds the limit of ${POINTS_MAX}.`;
      throw new AwsError(
        'InvalidParameterCombinationException',
        `${limit} You may reduce the datapoints requested by increasing Period, or decreasing the time range.`,
      );
    }
    const periods = surveyedPeriods(call, input, simple, extended);
    const points = periods.flatMap(({ at, unit, result }) =>
      result === undefined ? [] : [{ Timestamp: instant(at), ...result, Unit: unit }],
    );
    return { Label: MetricName, Datapoints: points };
  },
};

/** Statistics of a period. Absent if the period has none of the extended statistics of the request. */
type Values = Omit<Datapoint, 'Timestamp' | 'Unit'> | undefined;

function surveyedPeriods(call: Call, input: Api['input'], simple: Named, extended: Named): readonly Period<Values>[] {
  const { accountId, region, now } = call;
  return call.survey('points', async (store) => {
    const range = [roundedStart(input.StartTime, input.Period, now), input.EndTime] as const;
    const metric = { accountId, region, ...input };
    const form = extended.length > 0 ? 'values' : 'numbers';
    const values = (summary: Summary) => valuesOf(summary, simple, extended);
    return await readPeriods(readingIn(store), metric, range, form, values, { now, budget: { points: READ_MAX } });
  });
}

type Named = readonly (readonly [name: string, stat: StatFunction])[];

function statisticsOf({ Statistics, ExtendedStatistics }: Api['input']): { readonly simple: Named; readonly extended: Named } {
  if (Statistics === undefined && ExtendedStatistics === undefined)
    throw new AwsError(
      'InvalidParameterCombinationException',
      'At least one of the parameters Statistics and ExtendedStatistics must be specified.',
    );
  if (Statistics !== undefined && ExtendedStatistics !== undefined)
    throw new AwsError(
      'InvalidParameterCombinationException',
      'The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.',
    );
  return { simple: namedStats(Statistics, 'Statistics'), extended: namedStats(ExtendedStatistics, 'ExtendedStatistics') };
}

function namedStats(names: readonly string[] = [], list: 'Statistics' | 'ExtendedStatistics'): Named {
  return names.map((name, i) => {
    const stat = statOf(name);
    if (stat === undefined || isSimple(name) !== (list === 'Statistics'))
      throw new AwsError(
        'InvalidParameterValueException',
        `The value ${name.slice(0, 128)} for parameter ${list}.member.${i + 1} is not supported.`,
      );
    return [name, stat];
  });
}

function valuesOf(summary: Summary, simple: Named, extended: Named): Values {
  const named = (stats: Named): Readonly<Record<string, number>> =>
    omitUndefined(Object.fromEntries(stats.map(([name, stat]) => [name, stat(summary)]))) as Record<string, number>;
  const ExtendedStatistics = named(extended);
  const hasExtended = Object.keys(ExtendedStatistics).length > 0;
  if (!hasExtended && extended.length > 0) return undefined;
  return { ...named(simple), ...(hasExtended && { ExtendedStatistics }) };
}
