import { createHash } from 'node:crypto';
import { SECOND_MS } from '#core/duration.ts';
import { type Instant, instant, isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Event, LookupAttribute, LookupAttributeKey, LookupEventsRequest, LookupEventsResponse } from '#model/generated/cloudtrail.ts';
import { UnreadablePack } from '#store/trail/trail-pack.ts';
import { trailRetention } from '#store/trail/trail-retention.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { isPlace, type LookupPage, type LookupQuery, rangesWithout } from '#store/trail/trail-search.ts';
import type { Call, Operation } from '../kit/operation.ts';
import { AwsError } from './errors.ts';

/** Settings of LookupEvents. */
export interface LookupSettings {
  /**
   * Limit of successful calls per second, per account and region. 0 means unlimited.
   * Source: CloudTrail API reference, LookupEvents: two requests per second, per account, per region. Clients retry automatically.
   */
  readonly lookupEventsPerSecond: number;
  /** Retention of accounts without one of their own, in days. */
  readonly eventHistoryDays: number;
}

/** Maximum and default number of results. Source: CloudTrail API reference, LookupEvents. */
const RESULTS_MAX = 50;

/**
 * Maximum length of an attribute value. Some characters count twice. Source: CloudTrail API reference, LookupAttribute.
 * The service model checks the length without counting characters twice.
 */
const VALUE_MAX = 2_000;
const COUNTED_TWICE = /[_ ,\n]/g;

/** Attributes for events of the category `insight`. Source: CloudTrail API reference, LookupEvents. */
const INSIGHT_ATTRIBUTES: ReadonlySet<LookupAttributeKey> = new Set(['EventId', 'EventName', 'EventSource']);

/**
 * Returns the event history of the caller's account in a region, newest event first. The account does not need a
 * CloudTrail trail (LOG-7, LOG-8). The history goes back as far as the retention of the account: 90 days, as on AWS,
 * unless the operator chose otherwise (Decision 0024). A start time before that is not an error.
 *
 * A page may contain fewer events than requested and still have a next token. There are no events of the category `insight`.
 *
 * @throws InvalidLookupAttributesException  more than one attribute, an attribute that Insights events do not have, or
 *   a value that is too long
 * @throws InvalidTimeRangeException         the start is after the end
 * @throws InvalidMaxResultsException        MaxResults is less than 1 or more than 50. An HTTP request with such a
 *   value fails earlier, at the validation against the model
 * @throws InvalidNextTokenException         the token is malformed or was issued for other parameters
 * @throws Throttling                        too many successful calls in the last second
 * @throws OperationNotPermittedException    the next page would have records that someone altered in the database, so that they cannot be
 *   read. The message says which time ranges can be read
 *
 * Source: CloudTrail API reference, LookupEvents.
 * Assumed: (1) the wording of the messages; (2) Belfry records no insight events; (3) an HTTP request with an unknown
 * EventCategory fails at the validation against the model, before InvalidEventCategoryException; (4) the code for altered records: of the
 * errors that the model lists for LookupEvents, it is the one that clients do not retry and that does not call the request invalid.
 */
export function lookupEvents({
  lookupEventsPerSecond,
  eventHistoryDays,
}: LookupSettings): Operation<LookupEventsRequest, LookupEventsResponse> {
  return {
    access: () => ({ action: 'cloudtrail:LookupEvents', resources: ['*'] }),
    async handle(call, input) {
      const { tx, accountId, region, now } = call;
      const { LookupAttributes = [], MaxResults = RESULTS_MAX } = input;
      const [attribute] = LookupAttributes;
      if (LookupAttributes.length > 1) {
        throw new AwsError('InvalidLookupAttributesException', 'You can specify only one lookup attribute.');
      }
      if (attribute !== undefined) requireAttribute(attribute, input.EventCategory);
      if (input.StartTime !== undefined && input.EndTime !== undefined && input.StartTime > input.EndTime) {
        throw new AwsError('InvalidTimeRangeException', 'The start time must not be after the end time.');
      }
      if (MaxResults < 1 || MaxResults > RESULTS_MAX) {
        throw new AwsError('InvalidMaxResultsException', `Invalid MaxResults '${MaxResults}'. It must be from 1 to ${RESULTS_MAX}.`);
      }
      const before = input.NextToken === undefined ? undefined : positionOf(input.NextToken, input);
      if (lookupEventsPerSecond > 0) await requireRate(call, lookupEventsPerSecond);
      if (input.EventCategory === 'insight') return { Events: [] };

      const oldest = await tx.of(trailRetention).startOf(accountId, eventHistoryDays, now);
      const { rows, next } = await readable(tx, {
        accountId,
        region,
        from: instant(Math.max(input.StartTime ?? 0, oldest)),
        to: input.EndTime === undefined ? now : endOfSecond(input.EndTime),
        ...(attribute && { attribute: { name: attribute.AttributeKey, value: attribute.AttributeValue } }),
        ...omitUndefined({ before }),
        limit: MaxResults,
      });
      return omitUndefined({ Events: rows.map(toEvent), NextToken: next === undefined ? undefined : nextToken(next, input) });
    },
  };
}

/** Runs a look-up. @throws OperationNotPermittedException  its next records cannot be read. The error does not repeat them, because any account can have them */
function readable(tx: Call['tx'], query: LookupQuery): Promise<LookupPage> {
  return tx.trail.lookup(query).catch((error: unknown) => {
    if (!(error instanceof UnreadablePack)) throw error;
    const { at, until, from } = rangesWithout(error);
    const message = `Records of ${isoSeconds(at)} are not in the format of the server: someone altered them in the database, or a newer version wrote them. Look up events until ${isoSeconds(until)} or from ${isoSeconds(from)}. The operator can verify the trail.`;
    throw new AwsError('OperationNotPermittedException', message);
  });
}

/** @throws InvalidLookupAttributesException  the value is too long, or the category has no such attribute */
function requireAttribute({ AttributeKey, AttributeValue }: LookupAttribute, category: LookupEventsRequest['EventCategory']): void {
  if (category === 'insight' && !INSIGHT_ATTRIBUTES.has(AttributeKey)) {
    const message = `Invalid lookup attribute '${AttributeKey}' for Insights events. Valid attributes: ${[...INSIGHT_ATTRIBUTES].join(', ')}.`;
    throw new AwsError('InvalidLookupAttributesException', message);
  }
  if (AttributeValue.length + (AttributeValue.match(COUNTED_TWICE)?.length ?? 0) > VALUE_MAX) {
    const message = `The value of the lookup attribute is too long. It must have at most ${VALUE_MAX} characters, of which '_', ' ', ',' and line feeds count twice.`;
    throw new AwsError('InvalidLookupAttributesException', message);
  }
}

function toEvent(row: TrailRow): Event {
  return omitUndefined({
    EventId: row.eventId,
    EventName: row.eventName,
    ReadOnly: String(row.readOnly),
    AccessKeyId: row.accessKeyId,
    // The time is in whole seconds, like `eventTime` in the document of the record.
    EventTime: instant(Math.floor(row.at / SECOND_MS) * SECOND_MS),
    EventSource: row.eventSource,
    Username: row.userName,
    Resources: row.resources.map(({ type, name }) => omitUndefined({ ResourceType: type, ResourceName: name })),
    CloudTrailEvent: row.document,
  });
}

/**
 * Returns the last millisecond of the second in which an end time is. The response shows event times in whole seconds.
 * So the end time includes all events in the same second.
 * Source: CloudTrail API reference, LookupEvents, EndTime, "before or at the specified time"; `eventTime` of a record.
 */
function endOfSecond(end: Instant): Instant {
  return instant(Math.floor(end / SECOND_MS) * SECOND_MS + SECOND_MS - 1);
}

/**
 * Maximum number of recent LookupEvents calls that `requireRate` reads from the stored events. `requireRate` does not
 * count throttled calls. Otherwise a client that retries could stay throttled.
 */
const RECENT_MAX = 100;

/**
 * Checks the rate of calls. Counts the recent calls in the stored events. All servers share these events, so no
 * separate counter is needed.
 */
async function requireRate({ tx, accountId, region, now }: Call, perSecond: number): Promise<void> {
  const { rows } = await readable(tx, {
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
 * Returns the token of the next page: a position in the event history and a hash of the parameters. A token is valid
 * only for the same parameters. The token is not secret. The token gives no access to other accounts, because the
 * account and the region always come from the authenticated caller.
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
