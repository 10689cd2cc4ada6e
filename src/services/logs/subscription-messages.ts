/** Log events that match the subscription filters of their group, and the outgoing messages with them. */
import { createHash } from 'node:crypto';
import { parseArn } from '#core/arn.ts';
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { InputLogEvent } from '#model/generated/logs.ts';
import type { Work } from '../kit/events.ts';
import { laneOf, type NewMessage, type OutgoingTarget, outgoing } from '../kit/outgoing.ts';
import type { InTurns } from '../kit/turns.ts';
import { costOf, costOfEvent } from './filter-pattern/cost.ts';
import { extractedValue, matches } from './filter-pattern/match.ts';
import { parsePattern } from './filter-pattern/parse.ts';
import type { FilterPattern } from './filter-pattern/pattern.ts';
import { subjectOf } from './filter-pattern/subject.ts';
import { TURN_COST } from './metric-values.ts';
import { groupArn } from './names.ts';
import type { LogGroupRecord } from './tables/groups.ts';
import { type SubscriptionFilterRecord, subscriptionFilters } from './tables/subscription-filters.ts';

/** Subscription filter of a log group, with its parsed pattern. */
export interface Subscription extends SubscriptionFilterRecord {
  readonly parsed: FilterPattern;
}

/** Event that matches a subscription filter. `index` is its place among the events of the request. */
export interface Selected {
  readonly index: number;
  /** Values of the named fields of the pattern, if it is a pattern of fields. */
  readonly extractedFields?: Readonly<Record<string, string>>;
}

/** Events that match each subscription filter, by its name. */
export type Selections = ReadonlyMap<string, readonly Selected[]>;

/** Returns the subscription filters of a group. */
export async function subscriptionsOf({ tx }: Pick<Work, 'tx'>, { groupId }: LogGroupRecord): Promise<readonly Subscription[]> {
  return (await tx.of(subscriptionFilters).ofGroup(groupId)).flatMap((filter): Subscription[] => {
    const parsed = parsePattern(filter.pattern);
    return 'pattern' in parsed ? [{ ...filter, parsed: parsed.pattern }] : [];
  });
}

/** Returns the events that match each filter. */
export function* selectionsOf(filters: readonly Subscription[], events: readonly InputLogEvent[]): InTurns<Selections> {
  const found = new Map<string, Selected[]>(filters.map(({ name }) => [name, []]));
  if (filters.length === 0) return found;
  const costs = filters.map((filter) => ({ filter, cost: costOf(filter.parsed) }));
  let sum = 0;
  for (const [index, { message }] of events.entries()) {
    const subject = subjectOf(message);
    for (const { filter, cost } of costs) {
      sum += costOfEvent(cost, message);
      if (sum > TURN_COST) {
        yield;
        sum = 0;
      }
      if (!matches(filter.parsed, subject)) continue;
      const names = fieldNames(filter.parsed);
      const values = names.map((name) => [name, extractedValue(filter.parsed, subject, `$${name}`) ?? ''] as const);
      found.get(filter.name)?.push(names.length === 0 ? { index } : { index, extractedFields: Object.fromEntries(values) });
    }
  }
  return found;
}

function fieldNames(pattern: FilterPattern): readonly string[] {
  if (pattern.kind !== 'fields') return [];
  return [...pattern.first, ...(pattern.last ?? [])].flatMap(({ name }) => (name === undefined ? [] : [name]));
}

/** Event as receivers get it. */
interface SentEvent {
  readonly id: string;
  readonly timestamp: number;
  readonly message: string;
  readonly extractedFields?: Readonly<Record<string, string>>;
}

/** Most bytes of the log events of a message, unless one event is larger. Assumed: the number. A function of Lambda accepts 256 KB. */
const MESSAGE_BYTES_MAX = 131_072;
/** Source: CloudWatch Logs User Guide, "Log group-level subscription filters": CloudWatch Logs retries for up to 24 hours. */
const EXPIRES_AFTER_MS = DAY_MS;
/** Attempts of 24 hours, as those of EventBridge. */
const ATTEMPTS_MAX = 186;

/**
 * Adds messages with the events that match a filter. `idOf` returns the ID of an event.
 *
 * Source: CloudWatch Logs User Guide, "Log group-level subscription filters", the format. Public payloads with patterns of fields:
 * `extractedFields`. Assumed: only the named fields are in it, and messages have no order.
 * Writes: outgoing messages.
 */
export async function sendSelected(
  { tx, now, newId }: Work,
  group: LogGroupRecord,
  logStream: string,
  filter: Subscription,
  events: readonly InputLogEvent[],
  selected: readonly Selected[],
  idOf: (index: number) => string,
): Promise<void> {
  const batches: SentEvent[][] = [];
  let bytes = 0;
  for (const { index, extractedFields } of selected) {
    const { timestamp, message } = events[index] as InputLogEvent;
    const size = Buffer.byteLength(message);
    let batch = batches.at(-1);
    if (batch === undefined || bytes + size > MESSAGE_BYTES_MAX) {
      batches.push((batch = []));
      bytes = 0;
    }
    batch.push({ id: idOf(index), timestamp, message, ...(extractedFields !== undefined && { extractedFields }) });
    bytes += size;
  }
  const messages = batches.map((logEvents): NewMessage => {
    const data = {
      ...{ messageType: 'DATA_MESSAGE', owner: group.accountId, logGroup: group.name, logStream },
      ...{ subscriptionFilters: [filter.name], logEvents },
    };
    const partition = filter.distribution === 'Random' ? newId() : createHash('sha256').update(logStream).digest('hex');
    return { ...messageFor(group, filter, now, newId(), partition), body: JSON.stringify(data) };
  });
  await tx.of(outgoing).addAll(messages);
}

/**
 * Returns the message that tests whether a destination is reachable.
 *
 * Source: public payloads of CONTROL_MESSAGE with the message of the log event. Assumed: a function is not run by the test, because Lambda's
 * DryRun reports whether it could be.
 */
export function testMessage(
  group: LogGroupRecord,
  filter: Pick<Subscription, 'name' | 'destinationArn' | 'roleArn'>,
  now: Instant,
  id: string,
): NewMessage {
  const message = 'CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.';
  const data = {
    ...{ messageType: 'CONTROL_MESSAGE', owner: 'CloudwatchLogs', logGroup: '', logStream: '', subscriptionFilters: [] },
    logEvents: [{ id: '', timestamp: now, message }],
  };
  const made = messageFor(group, filter, now, id, id);
  const target = made.target.kind === 'lambda' ? { ...made.target, dryRun: true as const } : made.target;
  return { ...made, target, body: JSON.stringify(data), maximumAttempts: 1 };
}

/** Source: Lambda and IAM in the CloudWatch Logs User Guide: `aws:SourceArn` is the ARN of the log group with `:*`. */
function messageFor(
  group: LogGroupRecord,
  { name, destinationArn, roleArn }: Pick<Subscription, 'name' | 'destinationArn' | 'roleArn'>,
  now: Instant,
  id: string,
  PartitionKey: string,
): Omit<NewMessage, 'body'> {
  const { accountId, region } = group;
  const arn = groupArn(group);
  const target: OutgoingTarget =
    parseArn(destinationArn)?.service === 'lambda'
      ? { kind: 'lambda', arn: destinationArn, encoding: 'awslogs' }
      : { kind: 'kinesis', arn: destinationArn, PartitionKey, encoding: 'awslogs' };
  return {
    ...{ id, accountId, region, lane: laneOf(arn, name), ordered: false, target },
    sender: { service: 'logs.amazonaws.com', sourceArn: `${arn}:*`, sourceAccount: accountId, ...(roleArn !== undefined && { roleArn }) },
    ...{ createdAt: now, maximumAttempts: ATTEMPTS_MAX, expiresAt: instant(now + EXPIRES_AFTER_MS) },
  };
}
