import { createHash } from 'node:crypto';
import { AwsError } from '#core/aws-error.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Event, LookupEventsRequest, LookupEventsResponse } from '#model/generated/cloudtrail.ts';
import type { TrailRow } from '#store/trail.ts';
import type { Call, Operation } from '../operation.ts';

export interface LookupSettings {
  /**
   * Calls of an account in a region that are answered in one second; 0 for no limit.
   * Source: CloudTrail API reference, LookupEvents: two requests per second, per account, per region. Clients try again by themselves.
   */
  readonly lookupEventsPerSecond: number;
}

/** Source: CloudTrail API reference, LookupEvents: management events of the last 90 days; 1 to 50 results, 50 by default. */
const HISTORY_MS = 90 * 24 * 60 * 60_000;
const RESULTS_MAX = 50;
const SECOND_MS = 1000;

/**
 * The event history of the caller's account in a region, newest first, without any trail being configured (LOG-7, LOG-8).
 * A page may have fewer events than were asked for, and still a token.
 *
 * Source: CloudTrail API reference, LookupEvents.
 * Assumed: the texts; events of the category `insight` there are none.
 * @throws InvalidLookupAttributesException more than one attribute
 * @throws InvalidTimeRangeException        the start is after the end
 * @throws InvalidMaxResultsException       not 1 to 50, where the model's limits were not looked at before
 * @throws InvalidNextTokenException        the token is none, or of a look-up with other parameters
 * @throws Throttling                       too many look-ups in this second
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
        throw new AwsError('InvalidMaxResultsException', `MaxResults must be from 1 to ${RESULTS_MAX}, and is ${MaxResults}.`);
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
        ...(before !== undefined && { before }),
        limit: MaxResults,
      });
      return { Events: rows.map(toEvent), ...(next !== undefined && { NextToken: nextToken(next, input) }) };
    },
  };
}

function toEvent(row: TrailRow): Event {
  return {
    EventId: row.eventId,
    EventName: row.eventName,
    ReadOnly: String(row.readOnly),
    ...(row.accessKeyId !== undefined && { AccessKeyId: row.accessKeyId }),
    // As its record has it.
    EventTime: instant(Math.floor(row.at / SECOND_MS) * SECOND_MS),
    EventSource: row.eventSource,
    ...(row.userName !== undefined && { Username: row.userName }),
    Resources: row.resources.map(({ type, name }) => ({ ...(type !== undefined && { ResourceType: type }), ResourceName: name })),
    CloudTrailEvent: row.document,
  };
}

/**
 * Events are told with whole seconds, and those that occurred at the end are in: so is all of its second.
 * Source: CloudTrail API reference, LookupEvents, EndTime, "before or at the specified time"; `eventTime` of a record.
 */
function endOfSecond(end: Instant): Instant {
  return instant(Math.floor(end / SECOND_MS) * SECOND_MS + SECOND_MS - 1);
}

/** Of the look-ups of the last second, those that were refused do not count, or who is refused would stay so. */
const COUNTED_MAX = 100;

/** The trail itself says how many look-ups there were: every server sees them, and nothing is kept for it. */
async function requireRate({ tx, accountId, region, now }: Call, perSecond: number): Promise<void> {
  const { rows } = await tx.trail.lookup({
    accountId,
    region,
    from: instant(now - SECOND_MS + 1),
    to: now,
    attribute: { name: 'EventName', value: 'LookupEvents' },
    limit: Math.max(COUNTED_MAX, perSecond),
  });
  const answered = rows.filter(({ document }) => !('errorCode' in (JSON.parse(document) as object)));
  if (answered.length >= perSecond) throw new AwsError('Throttling', 'Rate exceeded');
}

/**
 * Where a page ended, bound to what was asked: a token goes with the same parameters only.
 * It is not secret: a position in time. The account and the region are the caller's, whatever a token says.
 */
function nextToken(position: string, input: LookupEventsRequest): string {
  return Buffer.from(`${asked(input)}.${position}`).toString('base64url');
}

/** Positions are in base 36. */
const POSITION = /^[0-9a-z]{1,12}$/;

function positionOf(token: string, input: LookupEventsRequest): string {
  const [hash, position = '', ...rest] = Buffer.from(token, 'base64url').toString().split('.');
  if (hash !== asked(input) || !POSITION.test(position) || rest.length > 0) {
    throw new AwsError('InvalidNextTokenException', 'The next token is not valid, or was made for other parameters.');
  }
  return position;
}

/** Pages may differ in size, so MaxResults is not in it. */
function asked({ LookupAttributes = [], StartTime, EndTime, EventCategory }: LookupEventsRequest): string {
  const parameters: readonly (string | Instant | null)[] = [
    StartTime ?? null,
    EndTime ?? null,
    EventCategory ?? null,
    ...LookupAttributes.flatMap(({ AttributeKey, AttributeValue }) => [AttributeKey, AttributeValue]),
  ];
  return createHash('sha256').update(JSON.stringify(parameters)).digest('base64url').slice(0, 22);
}
