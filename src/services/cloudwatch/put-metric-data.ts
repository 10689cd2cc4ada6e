import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import type { CloudwatchApi, MetricDatum, StatisticSet } from '#model/generated/cloudwatch.ts';
import type { DeclaredOperation } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import { storeSamples } from './statistics.ts';

type Input = CloudwatchApi['PutMetricData']['input'];

/** Source: cloudwatch 2010-08-01, PutMetricData: 1,000 metrics, 150 values, values between -2^360 and 2^360. */
const SAMPLES_MAX = 1_000;
const VALUES_MAX = 150;
const VALUE_MAX = 2 ** 360;
/** Source: cloudwatch 2010-08-01, MetricDatum, Timestamp. */
const OLDEST_MS = 14 * DAY_MS;
const NEWEST_MS = 2 * HOUR_MS;

/** Maximum number of metrics of an account in a region. Assumed: the number. AWS has no quota, but a server has one disk. */
export const METRICS_MAX = 100_000;

/**
 * Stores samples of metrics.
 *
 * Samples of an entity are stored like others. The server does not store entities, as AWS drops invalid ones.
 *
 * @throws MissingRequiredParameterException     there are no samples, or one has no value
 * @throws InvalidParameterValueException        the namespace begins with `AWS/`; there are more than 1,000 samples or 150 values;
 *   `Counts` has another size than `Values`; a number, time, resolution or dimension is invalid
 * @throws InvalidParameterCombinationException  `Value` with `Values` or `StatisticValues`
 * @throws LimitExceededFault                    there would be more than 100,000 metrics
 *
 * Source: events.md §4.2: the messages about `Value`, `Values` and `Counts` are literal, and `Values` may occur with `StatisticValues`.
 * Assumed: the wording of the other messages, and the order of the checks.
 */
export const putMetricData: DeclaredOperation<Input, Readonly<Record<string, never>>> = {
  access: ({ Namespace }) => ({ resources: ['*'], context: new Map([['cloudwatch:namespace', Namespace]]) }),
  async handle(call, { Namespace, MetricData, EntityMetricData }) {
    if (Namespace.startsWith('AWS/') || hasControl(Namespace)) throw invalidValue(Namespace, 'Namespace');
    const samples = [...named(MetricData, 'MetricData')];
    for (const [i, entity] of (EntityMetricData ?? []).entries())
      samples.push(...named(entity.MetricData, `EntityMetricData.member.${i + 1}.MetricData`));
    if (samples.length === 0) throw new AwsError('MissingRequiredParameterException', 'The parameter MetricData is required.');
    if (samples.length > SAMPLES_MAX) throw tooMany('MetricData', SAMPLES_MAX);
    for (const [name, sample] of samples) requireValid(name, sample, call.now);
    await storeSamples(
      call.tx,
      { accountId: call.accountId, region: call.region, namespace: Namespace },
      samples.map(([, sample]) => sample),
      call.now,
      METRICS_MAX,
    );
    return {};
  },
};

/** Returns samples with their names in messages: `MetricData.member.1`. */
function named(samples: readonly MetricDatum[] = [], list: string): readonly (readonly [name: string, sample: MetricDatum])[] {
  return samples.map((sample, i) => [`${list}.member.${i + 1}`, sample]);
}

function requireValid(name: string, sample: MetricDatum, now: number): void {
  const { MetricName, Value, Values, Counts, StatisticValues, StorageResolution, Timestamp } = sample;
  if (hasControl(MetricName)) throw invalidValue(MetricName, `${name}.MetricName`);
  requireDimensions(name, sample);
  if (Value !== undefined && Values !== undefined) throw exclusive(name, 'Values');
  if (Value !== undefined && StatisticValues !== undefined) throw exclusive(name, 'StatisticValues');
  if (Value === undefined && Values === undefined && StatisticValues === undefined)
    throw new AwsError('MissingRequiredParameterException', 'At least one of the parameters must be specified.');
  if (Value !== undefined) requireNumber(Value, () => `${name}.Value`);
  if ((Values?.length ?? 0) > VALUES_MAX) throw tooMany(`${name}.Values`, VALUES_MAX);
  if (Counts !== undefined && Counts.length !== (Values?.length ?? 0))
    throw new AwsError('InvalidParameterValueException', `The parameters ${name}.Values and ${name}.Counts must be of the same size.`);
  for (const [i, value] of Values?.entries() ?? []) requireNumber(value, () => `${name}.Values.member.${i + 1}`);
  for (const [i, count] of Counts?.entries() ?? []) requireNumber(count, () => `${name}.Counts.member.${i + 1}`, 0);
  if (StatisticValues !== undefined) requireSet(StatisticValues, `${name}.StatisticValues`);
  if (StorageResolution !== undefined && StorageResolution !== 1 && StorageResolution !== 60)
    throw invalidValue(`${StorageResolution}`, `${name}.StorageResolution`);
  if (Timestamp !== undefined && Timestamp < now - OLDEST_MS)
    throw new AwsError('InvalidParameterValueException', `The parameter ${name}.Timestamp must specify a time within the past two weeks.`);
  if (Timestamp !== undefined && Timestamp > now + NEWEST_MS)
    throw new AwsError(
      'InvalidParameterValueException',
      `The parameter ${name}.Timestamp must specify a time no more than two hours in the future.`,
    );
}

/** Requires dimensions with ASCII names and values that begin with another character than `:`, each name once. */
function requireDimensions(name: string, { Dimensions = [] }: MetricDatum): void {
  const seen = new Set<string>();
  for (const [i, { Name, Value }] of Dimensions.entries()) {
    const member = `${name}.Dimensions.member.${i + 1}`;
    if (!isDimension(Name) || Name.startsWith(':')) throw invalidValue(Name, `${member}.Name`);
    if (!isDimension(Value)) throw invalidValue(Value, `${member}.Value`);
    if (seen.has(Name)) throw invalidValue(Name, `${member}.Name`);
    seen.add(Name);
  }
}

const isDimension = (text: string) => /^[\x20-\x7e]*$/.test(text) && text.trim() !== '';

function requireSet({ SampleCount, Sum, Minimum, Maximum }: StatisticSet, name: string): void {
  requireNumber(SampleCount, () => `${name}.SampleCount`, 0);
  requireNumber(Sum, () => `${name}.Sum`);
  requireNumber(Minimum, () => `${name}.Minimum`);
  requireNumber(Maximum, () => `${name}.Maximum`);
  if (Minimum > Maximum)
    throw new AwsError('InvalidParameterValueException', `The parameter ${name}.Minimum must be at most ${name}.Maximum.`);
}

/** `name` returns the name of the parameter. It is a function, because a request can have 300,000 numbers. */
function requireNumber(value: number, name: () => string, least = -VALUE_MAX): void {
  if (!(value >= least && value <= VALUE_MAX)) throw invalidValue(`${value}`, name());
}

/** Reports whether a string has control characters. */
function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true;
  return false;
}

function invalidValue(value: string, name: string): AwsError {
  return new AwsError('InvalidParameterValueException', `The value ${value.slice(0, 255)} for parameter ${name} is invalid.`);
}

function tooMany(list: string, most: number): AwsError {
  return new AwsError('InvalidParameterValueException', `The collection ${list} must not have a size greater than ${most}.`);
}

function exclusive(name: string, other: string): AwsError {
  return new AwsError(
    'InvalidParameterCombinationException',
    `The parameters ${name}.Value and ${name}.${other} are mutually exclusive and you have specified both.`,
  );
}
