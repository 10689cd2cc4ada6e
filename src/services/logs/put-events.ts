/** PutLogEvents, and the storage of log events. */
import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { InputLogEvent, LogsApi, RejectedLogEventsInfo } from '#model/generated/logs.ts';
import type { Work } from '../kit/events.ts';
import type { LogEventsStored } from '../kit/log-events.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { type InTurns, runAtOnce, runInTurns } from '../kit/turns.ts';
import { invalidParameter } from './errors.ts';
import { retainedFrom, WINDOW_MS } from './event-reader.ts';
import { emitSamples, filtersOf, isLong, type ParsedFilter, type SamplesByNamespace, samplesOf } from './metric-values.ts';
import { groupOrNotFound, onGroup } from './names.ts';
import { eventIdOf } from './positions.ts';
import { streamOrNotFound } from './streams.ts';
import { type Selections, type Subscription, selectionsOf, sendSelected, subscriptionsOf } from './subscription-messages.ts';
import type { LogGroupRecord } from './tables/groups.ts';
import { logPacks, type PackedEvent } from './tables/packs.ts';
import { type LogStreamRecord, logStreams } from './tables/streams.ts';

/** Bytes that count for each event, besides its message. Source: logs 2014-03-28, PutLogEvents. */
export const EVENT_BYTES = 26;
/** Maximum size of a batch, and of an event. Source: CloudWatch Logs API reference, PutLogEvents. */
export const BATCH_BYTES_MAX = 1_048_576;
/** Maximum time between the first and the last event of a batch. Source: as above. */
export const SPAN_MAX_MS = DAY_MS;
/** Limits of timestamps. Source: as above: at most 2 hours in the future, and not older than 14 days or the retention. */
const FUTURE_MAX_MS = 2 * HOUR_MS;
const PAST_MAX_MS = 14 * DAY_MS;

/** Maximum number of events, and of bytes, of a pack. A larger event has a pack of its own. */
const PACK_EVENTS_MAX = 500;
const PACK_BYTES_MAX = 65_536;

/** Events to store, in the order of their times, with the index of the first in the request. */
interface Accepted {
  readonly events: readonly InputLogEvent[];
  readonly rejected?: RejectedLogEventsInfo;
}

export const putOperations = {
  /**
   * Stores log events. Events that are too old, too new or older than the retention are rejected, and the others are stored.
   *
   * @throws InvalidParameterException  the batch or an event is too large · the events are not in the order of time · they span more than 24 hours
   * @throws ResourceNotFoundException  the group or the stream does not exist
   * Source: logs 2014-03-28, PutLogEvents; events.md §5; messages about sizes and the span: public error reports.
   * The sequence token has no effect, as on AWS. `entity` has none either: it is only for a page of AWS's console.
   */
  PutLogEvents: {
    access: ({ logGroupName, logStreamName }, caller) => onGroup({ ...caller, name: logGroupName }, logStreamName),
    async handle(call, { logGroupName, logStreamName, logEvents }) {
      const group = await groupOrNotFound(call, { ...call, name: logGroupName });
      const stream = await streamOrNotFound(call, group.groupId, logStreamName);
      requireBatch(logEvents);
      const { events, rejected } = acceptedOf(call.now, group, logEvents);
      await storeEvents(call, group, stream, events, await filteredInCall(call, group, events));
      return { nextSequenceToken: sequenceToken(call.now), ...omitUndefined({ rejectedLogEventsInfo: rejected }) };
    },
  },
} satisfies Partial<ServiceOperations<LogsApi>>;

function requireBatch(events: readonly InputLogEvent[]): void {
  let bytes = 0;
  let last = 0;
  for (const { timestamp, message } of events) {
    const size = Buffer.byteLength(message) + EVENT_BYTES;
    if (size > BATCH_BYTES_MAX) throw invalidParameter(`Log event too large: ${size} bytes exceeds limit of ${BATCH_BYTES_MAX}`);
    if (timestamp < last) throw invalidParameter('Log events in a single PutLogEvents request must be in chronological order.');
    bytes += size;
    last = timestamp;
  }
  if (bytes > BATCH_BYTES_MAX) throw invalidParameter(`Upload too large: ${bytes} bytes exceeds limit of ${BATCH_BYTES_MAX}`);
  if (last - (events[0]?.timestamp ?? last) > SPAN_MAX_MS) {
    throw invalidParameter('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.');
  }
}

/** Returns the events of a batch that are stored. `…EndIndex` is exclusive. Source: logs 2014-03-28, RejectedLogEventsInfo. */
function acceptedOf(now: number, { retentionInDays }: LogGroupRecord, events: readonly InputLogEvent[]): Accepted {
  const countBefore = (time: number): number => {
    const index = events.findIndex(({ timestamp }) => timestamp >= time);
    return index < 0 ? events.length : index;
  };
  const tooOld = countBefore(now - PAST_MAX_MS);
  const expired = countBefore(retainedFrom(instant(now), retentionInDays));
  const tooNew = countBefore(now + FUTURE_MAX_MS + 1);
  const accepted = events.slice(Math.max(tooOld, expired), tooNew);
  if (accepted.length === events.length) return { events };
  return {
    events: accepted,
    rejected: omitUndefined({
      tooNewLogEventStartIndex: tooNew < events.length ? tooNew : undefined,
      tooOldLogEventEndIndex: tooOld > 0 ? tooOld : undefined,
      expiredLogEventEndIndex: expired > tooOld ? expired : undefined,
    }),
  };
}

/** Filters of a group. */
interface Filters {
  readonly ofMetrics: readonly ParsedFilter[];
  readonly subscriptions: readonly Subscription[];
}

/** Records that the filters of a group create from events. */
interface Filtered {
  readonly samples: SamplesByNamespace;
  readonly subscriptions: readonly Subscription[];
  readonly selections: Selections;
}

async function allFilters(work: Pick<Work, 'tx'>, group: LogGroupRecord): Promise<Filters> {
  return { ofMetrics: await filtersOf(work, group), subscriptions: await subscriptionsOf(work, group) };
}

function* filtered({ ofMetrics, subscriptions }: Filters, events: readonly InputLogEvent[]): InTurns<Filtered> {
  return { samples: yield* samplesOf(ofMetrics, events), subscriptions, selections: yield* selectionsOf(subscriptions, events) };
}

/** Applies the filters of the group. Long work runs in turns outside the transaction. */
async function filteredInCall(call: Call, group: LogGroupRecord, events: readonly InputLogEvent[]): Promise<Filtered> {
  const filters = await allFilters(call, group);
  const { ofMetrics, subscriptions } = filters;
  if (!isLong([...ofMetrics, ...subscriptions], events)) return runAtOnce(filtered(filters, events));
  // The filters can change between the two attempts, and with the time the accepted events.
  const patterns = [ofMetrics.map(({ pattern, transformations }) => [pattern, transformations]), subscriptions];
  return call.survey(JSON.stringify([patterns, events[0], events.length]), () => runInTurns(filtered(filters, events)));
}

/**
 * Stores events in packs. The events are valid and in the order of their times.
 *
 * `results` are those of the group's filters. By default, the function applies the filters at once.
 *
 * Writes: the times of the stream, and outgoing messages of the group's subscription filters. Emits: `LogEventsStored`, and `MetricSamples` of
 * the group's metric filters.
 */
export async function storeEvents(
  work: Work,
  group: LogGroupRecord,
  stream: LogStreamRecord,
  events: readonly InputLogEvent[],
  results?: Filtered,
): Promise<void> {
  const [first, last] = [events[0], events.at(-1)];
  if (first === undefined || last === undefined) return;
  const { tx, now } = work;
  const { samples, subscriptions, selections } = results ?? runAtOnce(filtered(await allFilters(work, group), events));
  const chosen = new Set([...selections.values()].flatMap((selected) => selected.map(({ index }) => index)));
  const ids = new Map<number, string>();
  let stored = 0;
  let count = 0;
  for (const part of packsOf(events)) {
    const firstAt = instant((part.events[0] as InputLogEvent).timestamp);
    await tx.of(logPacks).add({
      ...{ groupId: group.groupId, streamId: stream.streamId, streamName: stream.name, firstAt, ingestedAt: now, bytes: part.bytes },
      lastAt: instant((part.events.at(-1) as InputLogEvent).timestamp),
      events: part.events.map(({ timestamp, message }): PackedEvent => [timestamp - firstAt, message]),
    });
    stored += part.bytes;
    const ofPart = part.events.flatMap((_, index) => (chosen.has(count + index) ? [index] : []));
    const packId = ofPart.length === 0 ? undefined : await tx.of(logPacks).newest(stream.streamId, firstAt);
    if (packId !== undefined) {
      for (const index of ofPart) {
        const { timestamp } = part.events[index] as InputLogEvent;
        ids.set(count + index, eventIdOf({ at: timestamp, packId, index }));
      }
    }
    count += part.events.length;
  }
  await tx.of(logStreams).setEvents({
    ...{ groupId: group.groupId, name: stream.name, lastIngestionAt: now, storedBytes: stream.storedBytes + stored },
    firstEventAt: instant(Math.min(stream.firstEventAt ?? first.timestamp, first.timestamp)),
    lastEventAt: instant(Math.max(stream.lastEventAt, last.timestamp)),
  });
  const { accountId, region, name: logGroupName } = group;
  await work.emit<LogEventsStored>({ type: 'LogEventsStored', accountId, region, logGroupName, events: events.length, bytes: stored });
  await emitSamples(work, group, samples);
  for (const filter of subscriptions) {
    const selected = selections.get(filter.name) ?? [];
    await sendSelected(work, group, stream.name, filter, events, selected, (index) => ids.get(index) ?? '');
  }
}

interface Part {
  readonly events: InputLogEvent[];
  bytes: number;
}

/** Splits events at the limits of packs and at the windows of time. */
function packsOf(events: readonly InputLogEvent[]): readonly Part[] {
  const parts: Part[] = [];
  let window = -1;
  for (const event of events) {
    const bytes = Buffer.byteLength(event.message) + EVENT_BYTES;
    const ownWindow = Math.floor(event.timestamp / WINDOW_MS);
    let part = parts.at(-1);
    if (part === undefined || ownWindow !== window || part.events.length >= PACK_EVENTS_MAX || part.bytes + bytes > PACK_BYTES_MAX) {
      parts.push((part = { events: [], bytes: 0 }));
    }
    part.events.push(event);
    part.bytes += bytes;
    window = ownWindow;
  }
  return parts;
}

/** Returns a token for older clients, which send it with the next batch. Source: logs 2014-03-28, PutLogEvents: it is ignored. */
function sequenceToken(now: number): string {
  return String(now).padStart(56, '4');
}
