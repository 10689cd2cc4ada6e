import type { DataResource, EventSelector } from '#model/generated/cloudtrail.ts';
import { AwsError } from './errors.ts';

/** Maximum number of selectors, and of values in all of them. Source: cloudtrail 2013-11-01, PutEventSelectors. */
const SELECTORS_MAX = 5;
const VALUES_MAX = 250;

/** Sources of management events that a trail can exclude. Source: cloudtrail 2013-11-01, ExcludeManagementEventSources. */
export const EXCLUDABLE_SOURCES: readonly string[] = ['kms.amazonaws.com', 'rdsdata.amazonaws.com'];

/**
 * Values of data resources by type: the value that selects all resources, and the form of the others.
 * Source: cloudtrail 2013-11-01, DataResource. Assumed: a bucket needs the slash after its name.
 */
// biome-ignore format: a table
const DATA_TYPES: Readonly<Record<string, { readonly all: string; readonly one: RegExp }>> = {
  'AWS::S3::Object':       { all: 'arn:aws:s3',       one: /^arn:aws:s3:::[^*/]+\/[^*]*$/ },
  'AWS::Lambda::Function': { all: 'arn:aws:lambda',   one: /^arn:aws:lambda:[^*:]+:\d{12}:function:[^*]+$/ },
  'AWS::DynamoDB::Table':  { all: 'arn:aws:dynamodb', one: /^arn:aws:dynamodb:[^*:]+:\d{12}:table\/[^*]+$/ },
};

/** Selectors of a trail without selectors: all management events. Source: examples of the AWS CLI, get-event-selectors. */
export const DEFAULT_SELECTORS: readonly Required<EventSelector>[] = [
  { ReadWriteType: 'All', IncludeManagementEvents: true, DataResources: [], ExcludeManagementEventSources: [] },
];

/** Returns the error for invalid selectors. */
export function invalidSelectors(message: string): Error {
  return new AwsError('InvalidEventSelectorsException', message);
}

/**
 * Checks basic selectors, and returns them with defaults in place of absent members.
 *
 * @throws InvalidEventSelectorsException  not 1 to 5 selectors, more than 250 values, an unknown type, an invalid value,
 *   or an unknown excluded source
 * Source: cloudtrail 2013-11-01, PutEventSelectors and EventSelector; issue 335 of aws-security-reference-architecture-examples,
 * the message about a value. Assumed: the other messages, and the order.
 */
export function basicSelectors(selectors: readonly EventSelector[]): readonly Required<EventSelector>[] {
  if (selectors.length < 1 || selectors.length > SELECTORS_MAX) {
    throw invalidSelectors(`Specify a valid number of selectors (1 to ${SELECTORS_MAX}) for your trail.`);
  }
  const values = selectors.flatMap(({ DataResources = [] }) => DataResources.flatMap(({ Values = [] }) => Values));
  if (values.length > VALUES_MAX) throw invalidSelectors(`Specify a valid number of data resources (1 to ${VALUES_MAX}) for your trail.`);
  return selectors.map((selector) => {
    const { DataResources = [], ExcludeManagementEventSources = [] } = selector;
    for (const resource of DataResources) requireDataResource(resource);
    for (const source of ExcludeManagementEventSources) {
      if (!EXCLUDABLE_SOURCES.includes(source)) throw invalidSelectors(`Value ${source} for ExcludeManagementEventSources is invalid.`);
    }
    return {
      ReadWriteType: selector.ReadWriteType ?? 'All',
      IncludeManagementEvents: selector.IncludeManagementEvents ?? true,
      DataResources,
      ExcludeManagementEventSources,
    };
  });
}

function requireDataResource({ Type = '', Values = [] }: DataResource): void {
  const type = Object.hasOwn(DATA_TYPES, Type) ? DATA_TYPES[Type] : undefined;
  if (type === undefined) throw invalidSelectors(`Value ${Type} for DataResources.Type is invalid.`);
  if (Values.length === 0) throw invalidSelectors('DataResources.Values must have at least one value.');
  const invalid = Values.find((value) => value !== type.all && !type.one.test(value));
  if (invalid !== undefined) throw invalidSelectors(`Value ${invalid} for DataResources.Values is invalid.`);
}
