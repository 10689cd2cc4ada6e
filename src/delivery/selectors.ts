/**
 * Event selectors of trails: which events a trail records. The validation of selectors belongs to the operations of CloudTrail. A selector
 * that this file does not know selects nothing.
 *
 * Source: CloudTrail API reference, EventSelector, DataResource, AdvancedEventSelector, AdvancedFieldSelector.
 */
import type { AdvancedEventSelector, AdvancedFieldSelector, EventSelector } from '#model/generated/cloudtrail.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';

/** Selectors of a trail, of one kind. A trail without selectors of its own has `DEFAULT_SELECTORS`. */
export type Selectors = { readonly basic: readonly EventSelector[] } | { readonly advanced: readonly AdvancedEventSelector[] };

/** A resource of an event: `AWS::S3::Object` and `arn:aws:s3:::bucket/key`. */
export interface EventResource {
  readonly type?: string;
  readonly arn: string;
}

/** Facts of an event that selectors can test. */
export interface EventFacts {
  readonly category: 'Management' | 'Data';
  readonly readOnly: boolean;
  readonly eventSource: string;
  readonly eventName: string;
  readonly resources: readonly EventResource[];
  /** Facts that only the JSON of the record has. They are read only if a selector tests them. */
  readonly more: () => MoreFacts;
}

export interface MoreFacts {
  readonly eventType: string;
  readonly sessionCredentialFromConsole: string;
  readonly userArn: string;
}

/** Reports whether a trail records an event. */
export type Selects = (event: EventFacts) => boolean;

/** Returns the facts of a stored event. */
export function factsOfRow(row: TrailRow): EventFacts {
  let more: MoreFacts | undefined;
  return {
    category: row.category ?? 'Management',
    readOnly: row.readOnly,
    eventSource: row.eventSource,
    eventName: row.eventName,
    resources: row.resources.map(({ type, name }) => (type === undefined ? { arn: name } : { type, arn: name })),
    more: () => (more ??= moreOf(row.document)),
  };
}

interface RecordMembers {
  readonly eventType?: string;
  readonly sessionCredentialFromConsole?: string;
  readonly userIdentity?: { readonly arn?: string };
}

function moreOf(document: string): MoreFacts {
  const { eventType = '', sessionCredentialFromConsole = 'false', userIdentity } = JSON.parse(document) as RecordMembers;
  return { eventType, sessionCredentialFromConsole, userArn: userIdentity?.arn ?? '' };
}

/** Compiles selectors. An event is recorded if one of the selectors selects it. */
export function compileSelectors(selectors: Selectors): Selects {
  const compiled = 'basic' in selectors ? selectors.basic.map(compileBasic) : selectors.advanced.map(compileAdvanced);
  return (event) => compiled.some((selects) => selects(event));
}

function compileBasic(selector: EventSelector): Selects {
  const { ReadWriteType = 'All', IncludeManagementEvents = true, DataResources = [], ExcludeManagementEventSources = [] } = selector;
  const excluded: ReadonlySet<string> = new Set(ExcludeManagementEventSources);
  const data = DataResources.flatMap(({ Type, Values = [] }) => Values.map((value) => ({ type: Type, isIn: resourceTest(value) })));
  return ({ category, readOnly, eventSource, resources }) => {
    if (ReadWriteType !== 'All' && (ReadWriteType === 'ReadOnly') !== readOnly) return false;
    if (category === 'Management') return IncludeManagementEvents && !excluded.has(eventSource);
    return data.some(({ type, isIn }) => resources.some((resource) => resource.type === type && isIn(resource.arn)));
  };
}

/** Number of colons in the ARN of a bucket or an object: `arn:aws:s3:::bucket/key`. */
const ARN_COLONS = 5;

/**
 * Compiles a value of `DataResources`.
 *
 *     arn:aws:s3                     all objects
 *     arn:aws:s3:::bucket/           all objects of a bucket
 *     arn:aws:s3:::bucket/prefix     the objects whose keys begin with a prefix
 *
 * Source: CloudTrail API reference, DataResource. Assumed: a bucket without a slash means all of its objects, but not those of a
 * bucket with a longer name that begins with the same letters.
 */
function resourceTest(value: string): (arn: string) => boolean {
  const isPartial = value.split(':').length <= ARN_COLONS;
  const prefix = isPartial ? `${value}:` : value.includes('/') ? value : `${value}/`;
  return (arn) => arn.startsWith(prefix);
}

function compileAdvanced({ FieldSelectors }: AdvancedEventSelector): Selects {
  // Without a category, a selector would select events of all categories. So it selects nothing.
  if (!FieldSelectors.some(({ Field, Equals = [] }) => Field === 'eventCategory' && Equals.length > 0)) return () => false;
  const fields = FieldSelectors.map(compileField);
  return (event) => {
    const selects = (resource: EventResource | undefined): boolean => fields.every((matches) => matches(event, resource));
    return event.category === 'Management' ? selects(undefined) : event.resources.some(selects);
  };
}

/** Values of the fields of an event. Source: CloudTrail API reference, AdvancedFieldSelector, Field. */
const FIELDS: Readonly<Record<string, (event: EventFacts) => string>> = {
  eventCategory: ({ category }) => category,
  eventName: ({ eventName }) => eventName,
  eventSource: ({ eventSource }) => eventSource,
  readOnly: ({ readOnly }) => String(readOnly),
  eventType: ({ more }) => more().eventType,
  sessionCredentialFromConsole: ({ more }) => more().sessionCredentialFromConsole,
  'userIdentity.arn': ({ more }) => more().userArn,
};

/** Fields of a resource of a data event. All conditions on resources must hold for the same resource. */
const RESOURCE_FIELDS: Readonly<Record<string, (resource: EventResource) => string>> = {
  'resources.type': ({ type }) => type ?? '',
  'resources.ARN': ({ arn }) => arn,
};

/**
 * Compiles the conditions of one field. Positive operators are combined with OR, negative operators with AND. If a field has both, both
 * must hold. Source: record.md B4; CloudTrail User Guide, "How CloudTrail evaluates multiple conditions for a field".
 */
function compileField(selector: AdvancedFieldSelector): (event: EventFacts, resource: EventResource | undefined) => boolean {
  const { Field, Equals = [], StartsWith = [], EndsWith = [], NotEquals = [], NotStartsWith = [], NotEndsWith = [] } = selector;
  const isAny = anyOf(Equals, StartsWith, EndsWith);
  const isExcluded = anyOf(NotEquals, NotStartsWith, NotEndsWith);
  const isPositive = Equals.length + StartsWith.length + EndsWith.length > 0;
  const holds = (value: string): boolean => (!isPositive || isAny(value)) && !isExcluded(value);
  const ofEvent = own(FIELDS, Field);
  if (ofEvent !== undefined) return (event) => holds(ofEvent(event));
  const ofResource = own(RESOURCE_FIELDS, Field);
  if (ofResource === undefined) return () => false;
  return (_, resource) => resource !== undefined && holds(ofResource(resource));
}

function own<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Returns a test whether a string equals one of the values, or begins or ends with one. */
function anyOf(equal: readonly string[], starts: readonly string[], ends: readonly string[]): (value: string) => boolean {
  const values: ReadonlySet<string> = new Set(equal);
  return (value) => values.has(value) || starts.some((each) => value.startsWith(each)) || ends.some((each) => value.endsWith(each));
}
