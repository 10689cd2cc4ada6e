/** GetLogEvents and FilterLogEvents. */
import { createHash } from 'node:crypto';
import type { FilteredLogEvent, GetLogEventsRequest, LogsApi, OutputLogEvent } from '#model/generated/logs.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { invalidParameter, invalidToken, noSuchStream } from './errors.ts';
import type { EventKey, StoredEvent } from './event-heap.ts';
import { type ReadPosition, readEvents, retainedFrom } from './event-reader.ts';
import { costOf, costOfEvent } from './filter-pattern/cost.ts';
import { matches } from './filter-pattern/match.ts';
import { parsePattern } from './filter-pattern/parse.ts';
import type { FilterPattern } from './filter-pattern/pattern.ts';
import { subjectOf } from './filter-pattern/subject.ts';
import { groupOrNotFound, onGroup, referencedGroup } from './names.ts';
import { afterKey, restAfter } from './page.ts';
import { eventIdOf, parsePosition, positionText, TIME_MAX } from './positions.ts';
import { streamOrNotFound } from './streams.ts';
import type { LogGroupRecord } from './tables/groups.ts';
import { logPacks } from './tables/packs.ts';
import { logStreams } from './tables/streams.ts';

/** Maximum number of events of a page, which is the default, and of bytes of their messages. Source: logs 2014-03-28, GetLogEvents. */
const EVENTS_MAX = 10_000;
const PAGE_BYTES_MAX = 2 ** 20;
/** Maximum cost of the matching of a page: see `costOf`. The last event can exceed it. Assumed: the number. */
const MATCH_COST_MAX = 60_000_000;

const FIRST_KEY: EventKey = { at: 0, packId: 0, index: 0 };

export const readOperations = {
  /**
   * Returns log events of a stream in the order of time. Without a token, these are the newest, or the oldest with `startFromHead`. A token
   * at the end of the stream is returned again.
   *
   * @throws InvalidParameterException  the token is invalid · the start is after the end. Assumed: the message of the latter
   * @throws ResourceNotFoundException  the group or the stream does not exist
   * Source: CloudWatch Logs API reference, GetLogEvents. `endTime` is exclusive.
   */
  GetLogEvents: {
    access: (input, caller) => onGroup(referencedGroup(input, caller), input.logStreamName),
    async handle(call, input) {
      const group = await groupOrNotFound(call, referencedGroup(input, call));
      const { streamId } = await streamOrNotFound(call, group.groupId, input.logStreamName);
      const { direction, position } = startOf(input);
      const found: StoredEvent[] = [];
      const room = pageRoom(input.limit);
      const range = {
        ...({ of: 'stream', id: streamId, direction, position, accepts: () => true } as const),
        ...timeRange(call, group, input.startTime, input.endTime ?? TIME_MAX),
      };
      const { next } = await readEvents(call.tx.of(logPacks), range, (event) => room.take(event, () => found.push(event)));
      if (direction === 'backward') found.reverse();
      const tokens = tokensOf(found);
      const isForward = direction === 'forward';
      const own = found.length > 0 ? next : (next ?? position);
      return {
        events: found.map(shownEvent),
        nextForwardToken: `f/${positionText(isForward ? (own ?? tokens.forward) : tokens.forward)}`,
        nextBackwardToken: `b/${positionText(isForward ? tokens.backward : (own ?? tokens.backward))}`,
      };
    },
  },

  /**
   * Returns log events of a group that match a filter pattern, in the order of time. A page ends after a limited amount of reading and
   * matching, so it may have few events or none, and still a token.
   *
   * @throws InvalidParameterException  stream names and a prefix · the pattern is invalid · the token is invalid, or of another request
   * @throws ResourceNotFoundException  the group, or a named stream, does not exist
   * Source: CloudWatch Logs API reference, FilterLogEvents: `endTime` is inclusive, and `interleaved` has no effect.
   */
  FilterLogEvents: {
    access: (input, caller) => onGroup(referencedGroup(input, caller)),
    async handle(call, input) {
      const { logStreamNames, logStreamNamePrefix, filterPattern = '', startTime, endTime = TIME_MAX, limit } = input;
      if (logStreamNames !== undefined && logStreamNamePrefix !== undefined) {
        throw invalidParameter('LogStreamNamePrefix and LogStreamNames are mutually exclusive parameters.');
      }
      const pattern = patternOf(filterPattern);
      const group = await groupOrNotFound(call, referencedGroup(input, call));
      await requireStreams(call, group, logStreamNames);
      const scope = scopeOf([group.groupId, logStreamNames, logStreamNamePrefix, filterPattern, startTime, endTime]);
      const events: FilteredLogEvent[] = [];
      const room = pageRoom(limit);
      const cost = costOf(pattern);
      let matching = 0;
      const range = {
        ...({ of: 'group', id: group.groupId, direction: 'forward', position: positionIn(afterKey(input), scope) } as const),
        ...timeRange(call, group, startTime, endTime + 1),
        accepts: acceptsOf(logStreamNames, logStreamNamePrefix),
      };
      const { next } = await readEvents(call.tx.of(logPacks), range, (event) => {
        matching += costOfEvent(cost, event.message);
        const outcome = matches(pattern, subjectOf(event.message)) ? room.take(event, () => events.push(filteredEvent(event))) : 'continue';
        return outcome === 'continue' && matching > MATCH_COST_MAX ? 'last' : outcome;
      });
      return { events, searchedLogStreams: [], ...restAfter(next && `${scope} ${positionText(next)}`) };
    },
  },
} satisfies Partial<ServiceOperations<LogsApi>>;

/** Returns the times of a request, without those that the retention removed. */
function timeRange({ now }: Call, { retentionInDays }: LogGroupRecord, startTime = 0, until: number) {
  return { from: Math.max(startTime, retainedFrom(now, retentionInDays)), until: Math.min(until, TIME_MAX) };
}

/** Counts the events and bytes of a page. The first event always fits. */
function pageRoom(limit = EVENTS_MAX) {
  let events = 0;
  let bytes = 0;
  return {
    take({ message }: StoredEvent, add: () => void): 'continue' | 'last' | 'full' {
      const size = Buffer.byteLength(message);
      if (events > 0 && bytes + size > PAGE_BYTES_MAX) return 'full';
      events++;
      bytes += size;
      add();
      return events >= limit ? 'last' : 'continue';
    },
  };
}

/** Returns the direction and the position of a request. @throws InvalidParameterException  the token is invalid */
function startOf({ nextToken, startFromHead = false }: GetLogEventsRequest): { direction: 'forward' | 'backward'; position: ReadPosition } {
  const none = {};
  if (nextToken === undefined) return { direction: startFromHead ? 'forward' : 'backward', position: none };
  const [, letter, digits] = /^([fb])\/(\d+)$/.exec(nextToken) ?? [];
  const position = digits === undefined ? undefined : parsePosition(digits);
  if (position === undefined) throw invalidToken();
  return { direction: letter === 'f' ? 'forward' : 'backward', position };
}

/** Returns the positions after the last and before the first event of a page. An empty page has a position before all events. */
function tokensOf(events: readonly StoredEvent[]): { readonly forward: ReadPosition; readonly backward: ReadPosition } {
  const position = (event: StoredEvent | undefined): ReadPosition => ({ after: event?.key ?? FIRST_KEY });
  return { forward: position(events.at(-1)), backward: position(events[0]) };
}

const shownEvent = ({ timestamp, message, ingestedAt }: StoredEvent): OutputLogEvent => ({ timestamp, message, ingestionTime: ingestedAt });

const filteredEvent = ({ key, logStreamName, timestamp, message, ingestedAt }: StoredEvent): FilteredLogEvent => ({
  ...{ logStreamName, timestamp, message },
  ...{ ingestionTime: ingestedAt, eventId: eventIdOf(key) },
});

/** @throws InvalidParameterException  the pattern is invalid */
export function patternOf(text: string): FilterPattern {
  const parsed = parsePattern(text);
  if ('problem' in parsed) throw invalidParameter(parsed.problem);
  return parsed.pattern;
}

async function requireStreams(call: Call, { groupId }: LogGroupRecord, names: readonly string[] = []): Promise<void> {
  for (const name of new Set(names)) if ((await call.tx.of(logStreams).get(groupId, name)) === undefined) throw noSuchStream();
}

function acceptsOf(names: readonly string[] | undefined, prefix = ''): (streamName: string) => boolean {
  const wanted = names && new Set(names);
  return (name) => (wanted === undefined ? name.startsWith(prefix) : wanted.has(name));
}

/** Returns a short form of the members that determine the events of all pages. */
function scopeOf(members: readonly unknown[]): string {
  return createHash('sha256')
    .update(JSON.stringify(members.map((each) => each ?? null)))
    .digest('base64url')
    .slice(0, 22);
}

function positionIn(key: string | undefined, scope: string): ReadPosition {
  if (key === undefined) return {};
  const [of, digits = ''] = key.split(' ');
  const position = of === scope ? parsePosition(digits) : undefined;
  if (position === undefined) throw invalidToken();
  return position;
}
