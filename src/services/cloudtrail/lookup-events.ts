import { createHash } from 'node:crypto';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Event, LookupEventsRequest, LookupEventsResponse } from '#model/generated/cloudtrail.ts';
import { isPlace } from '#store/trail/trail.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import type { Call, Operation } from '../kit/operation.ts';
import { AwsError } from './errors.ts';

/** Settings of LookupEvents. */
export interface LookupSettings {
  /**
   * Limit of successful calls per second, per account and region. 0 means unlimited.
   * Source: CloudTrail API reference, LookupEvents: two requests per second, per account, per region. Clients retry automatically.
   */
  readonly lookupEventsPerSecond: number;
}

/** Maximum age of returned events: 90 days. Source: CloudTrail API reference, LookupEvents, also for 1 to 50 results, 50 by default. */
const HISTORY_MS = 90 * 24 * 60 * 60_000;
const RESULTS_MAX = 50;
const SECOND_MS = 1000;

/**
 * Returns the event history of the caller's account in a region, newest first. It does not require a trail (LOG-7, LOG-8).
 *
 * A page may contain fewer events than requested and still have a next token. There are no events of the category `insight`.
 *
 * @throws InvalidLookupAttributesException  more than one attribute
 * @throws InvalidTimeRangeException         the start is after the end
 * @throws InvalidMaxResultsException        MaxResults is not 1 to 50. Over HTTP, model validation rejects such a value first
 * @throws InvalidNextTokenException         the token is malformed or was issued for other parameters
 * @throws Throttling                        too many successful calls in the last second
 *
 * Source: CloudTrail API reference, LookupEvents.
 * Assumed: the messages; that Belfry records no insight events.
 */
export function lookupEvents({ lookupEventsPerSecond }: LookupSettings): Operation<LookupEventsRequest, LookupEventsResponse> {
  return {
    access: () => ({ action: 'cloudtrail:LookupEvents', resources: ['*'] }),
    async handle(call, input) {
      const { tx, accountId, region, now } = call;
      const { LookupAttributes = [], MaxResults = RESULTS_MAX } = input;
      const [attribute] = LookupAttributes;
      if (LookupAttributes.length > 1) {
        throw new AwsError('InvalidLookupAttributesException', 'You can specify only one lookup attribute.');
      }
      if (input.StartTime !== undefined && input.EndTime !== undefined && input.StartTime > input.EndTime) {
        throw new AwsError('InvalidTimeRangeException', 'The start time must not be after the end time.');
      }
      if (MaxResults < 1 || MaxResults > RESULTS_MAX) {
        throw new AwsError('InvalidMaxResultsException', `Invalid MaxResults '${MaxResults}'. It must be from 1 to ${RESULTS_MAX}.`);
      }
      const before = input.NextToken === undefined ? undefined : positionOf(input.NextToken, input);
      if (lookupEventsPerSecond > 0) await requireRate(call, lookupEventsPerSecond);
      if (input.EventCategory === 'insight') return { Events: [] };

      const { rows, next } = await tx.trail.lookup({
        accountId,
        region,
        from: instant(Math.max(input.StartTime ?? 0, now - HISTORY_MS)),
        to: input.EndTime === undefined ? now : endOfSecond(input.EndTime),
        ...(attribute && { attribute: { name: attribute.AttributeKey, value: attribute.AttributeValue } }),
        ...omitUndefined({ before }),
        limit: MaxResults,
      });
      return omitUndefined({ Events: rows.map(toEvent), NextToken: next === undefined ? undefined : nextToken(next, input) });
    },
  };
}

function toEvent(row: TrailRow): Event {
  return omitUndefined({
    EventId: row.eventId,
    EventName: row.eventName,
    ReadOnly: String(row.readOnly),
    AccessKeyId: row.accessKeyId,
    // The time is in whole seconds, as in the record.
    EventTime: instant(Math.floor(row.at / SECOND_MS) * SECOND_MS),
    EventSource: row.eventSource,
    Username: row.userName,
    Resources: row.resources.map(({ type, name }) => omitUndefined({ ResourceType: type, ResourceName: name })),
    CloudTrailEvent: row.document,
  });
}

/**
 * Returns the last millisecond of the second of an end time. Event times are whole seconds, and events at the end time are included.
 * Source: CloudTrail API reference, LookupEvents, EndTime, "before or at the specified time"; `eventTime` of a record.
 */
function endOfSecond(end: Instant): Instant {
  return instant(Math.floor(end / SECOND_MS) * SECOND_MS + SECOND_MS - 1);
}

/**
 * Number of recent calls to read from the trail. Throttled calls are read but not counted, because a client that retries could otherwise
 * stay throttled.
 */
const RECENT_MAX = 100;

/** Checks the rate of calls. Counts recent calls in the trail, which all servers share, so that no separate counter is needed. */
async function requireRate({ tx, accountId, region, now }: Call, perSecond: number): Promise<void> {
  const { rows } = await tx.trail.lookup({
    accountId,
    region,
    from: instant(now - SECOND_MS + 1),
    to: now,
    attribute: { name: 'EventName', value: 'LookupEvents' },
    limit: Math.max(RECENT_MAX, perSecond),
  });
  const answered = rows.filter(({ document }) => !('errorCode' in (JSON.parse(document) as object)));
  if (answered.length >= perSecond) throw new AwsError('Throttling', 'Rate exceeded');
}

/**
 * Returns the token of the next page: a place in the trail and a hash of the parameters. A token is valid only for the same parameters.
 * The token is not secret. The account and the region always come from the caller.
 */
function nextToken(position: string, input: LookupEventsRequest): string {
  return Buffer.from(`${parametersHash(input)}.${position}`).toString('base64url');
}

function positionOf(token: string, input: LookupEventsRequest): string {
  const [hash, position = '', ...rest] = Buffer.from(token, 'base64url').toString().split('.');
  if (hash !== parametersHash(input) || !isPlace(position) || rest.length > 0) {
    throw new AwsError('InvalidNextTokenException', 'The next token is invalid, or belongs to other parameters.');
  }
  return position;
}

/** Returns a hash of the parameters of a look-up. MaxResults is not included, because pages may differ in size. */
function parametersHash({ LookupAttributes = [], StartTime, EndTime, EventCategory }: LookupEventsRequest): string {
  const parameters: readonly (string | Instant | null)[] = [
    StartTime ?? null,
    EndTime ?? null,
    EventCategory ?? null,
    ...LookupAttributes.flatMap(({ AttributeKey, AttributeValue }) => [AttributeKey, AttributeValue]),
  ];
  return createHash('sha256').update(JSON.stringify(parameters)).digest('base64url').slice(0, 22);
}
