/** The operation that puts events on buses. */
import { scanJson } from '#core/json-scan.ts';
import type { EventsApi, PutEventsRequestEntry, PutEventsResultEntry } from '#model/generated/events.ts';
import { eventText } from '../kit/bus-event.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { storeEvent } from './accept.ts';
import { onBus } from './bus-access.ts';
import { busArn, busKey } from './bus-names.ts';
import { invalid } from './errors.ts';
import { type BusUses, eventBuses } from './tables/event-buses.ts';

/**
 * Maximum size of the entries of a request, in bytes.
 * Source: AWS What's New, January 2026, "Amazon EventBridge increases event payload size from 256 KB to 1 MB", for all buses; EventBridge User
 * Guide, "Calculating PutEvents event entry size"; LocalStack, snapshots of its tests on AWS: the message.
 */
const ENTRIES_MAX_BYTES = 1024 * 1024;

/** Size of `Time` in an entry. Source: as above. */
const TIME_BYTES = 14;

/** Maximum nesting of a detail. Assumed: AWS does not publish one. It protects the programs that read the event recursively. */
const DEPTH_MAX = 500;

/**
 * Returns the permission for an entry. The keys have one value each, so conditions with and without `ForAllValues` decide about each entry.
 *
 * Source: EventBridge User Guide, "Event bus permissions": policies with StringEquals of events:source and events:detail-type.
 */
function onEntry({ EventBusName, Source, DetailType }: PutEventsRequestEntry, caller: Caller): DeclaredAccess {
  return onBus(busKey(EventBusName, caller), [
    ...(Source === undefined ? [] : [['events:source', Source] as const]),
    ...(DetailType === undefined ? [] : [['events:detail-type', DetailType] as const]),
    ['events:eventbusinvocation', 'false'],
  ]);
}

export const putEventsOperations = {
  /**
   * Passes events to buses, in the order of the entries. The events are durable with the response. Invalid entries are in the result, and do
   * not affect the others. An event for an unknown bus gets an ID and is dropped.
   *
   * @throws ValidationException  the entries have more than 1 MiB, or the request names a global endpoint, which does not exist
   * Source: events 2015-10-07, PutEvents; LocalStack, snapshots of its tests on AWS; Service Authorization Reference: the condition keys.
   * Assumed: an empty source, detail-type or detail is absent. A denial for one entry denies the request.
   */
  PutEvents: {
    access: ({ Entries }, caller) => {
      const keyOf = ({ EventBusName, Source, DetailType }: PutEventsRequestEntry) =>
        JSON.stringify([busArn(busKey(EventBusName, caller)), Source, DetailType]);
      const distinct = new Map(Entries.map((entry) => [keyOf(entry), entry]));
      return [...distinct.values()].map((entry) => onEntry(entry, caller));
    },
    async handle(call, { Entries, EndpointId }) {
      if (EndpointId !== undefined) throw invalid(`Endpoint ${EndpointId} does not exist.`);
      if (Entries.reduce((sum, entry) => sum + entryBytes(entry), 0) > ENTRIES_MAX_BYTES) {
        throw invalid('Total size of the entries in the request is over the limit.');
      }
      const uses = new Map<string, BusUses | undefined>();
      const results: PutEventsResultEntry[] = [];
      for (const entry of Entries) results.push(refusal(entry) ?? (await put(call, entry, uses)));
      return { FailedEntryCount: results.filter(({ ErrorCode }) => ErrorCode !== undefined).length, Entries: results };
    },
  },
} satisfies Partial<ServiceOperations<EventsApi>>;

/** Returns the size of an entry, in bytes. */
function entryBytes({ Time, Source = '', DetailType = '', Detail = '', Resources = [] }: PutEventsRequestEntry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time === undefined ? 0 : TIME_BYTES);
}

/** Returns the result of an invalid entry, or `undefined` if it is valid. */
function refusal(entry: PutEventsRequestEntry): PutEventsResultEntry | undefined {
  for (const name of ['Source', 'DetailType', 'Detail'] as const) {
    if (!entry[name]) {
      const ErrorMessage = `Parameter ${name} is not valid. Reason: ${name} is a required argument.`;
      return { ErrorCode: 'InvalidArgument', ErrorMessage };
    }
  }
  if (entry.Source?.startsWith('aws.')) {
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  }
  return isDetail(entry.Detail as string) ? undefined : { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
}

/** Reports whether a string is a JSON object of a depth that programs can read. */
function isDetail(text: string): boolean {
  const counts = scanJson(text);
  if (counts === undefined || counts.depth > DEPTH_MAX) return false;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

async function put(call: Call, entry: PutEventsRequestEntry, known: Map<string, BusUses | undefined>): Promise<PutEventsResultEntry> {
  const key = busKey(entry.EventBusName, call);
  const name = busArn(key);
  if (!known.has(name)) known.set(name, key.region === call.region ? await call.tx.of(eventBuses).uses(key) : undefined);
  const uses = known.get(name);
  // Too many events wait for the buses of the account that owns this one.
  if (uses?.isFull && uses.rules > 0) return { ErrorCode: 'ThrottlingException', ErrorMessage: 'Rate exceeded' };
  const id = call.newId();
  if (uses !== undefined) {
    const { Source = '', DetailType = '', Detail = '', Resources = [], Time = call.now } = entry;
    const members = { id, detailType: DetailType, source: Source, account: call.accountId, time: Time, region: call.region };
    await storeEvent(call.tx, key, uses, eventText({ ...members, resources: Resources, detail: Detail.trim() }), call.now);
  }
  return { EventId: id };
}
